"""An operator at the admin: opens pages, fills in the forms that are really there, reads what the page says."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from django.test import Client

FOUND, OK = 302, 200


class _Forms(HTMLParser):
    """The forms of a page with the values that a browser would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._textarea: str | None = None
        self._multiple = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "method": given.get("method", "get"), "fields": {}})
        if not self.forms:
            return
        name = given.get("name", "")
        if tag == "input" and name and given.get("type") not in ("submit", "button"):
            ticked = given.get("type") in ("checkbox", "radio")
            found = self._fields.setdefault(name, [])
            if not ticked or "checked" in given:
                found.append(given.get("value", "on" if ticked else ""))
        elif tag == "select" and name:
            self._select, self._options, self._multiple = name, [], "multiple" in given
        elif tag == "option" and self._select:
            self._options.append((given.get("value", ""), "selected" in given))
        elif tag == "textarea" and name:
            self._textarea = name
            self._fields[name] = [""]

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            chosen = [value for value, selected in self._options if selected]
            if not chosen and self._options and not self._multiple:
                chosen = [self._options[0][0]]
            self._fields[self._select] = chosen
            self._select = None
        elif tag == "textarea" and self._textarea:
            self._fields[self._textarea] = [self._fields[self._textarea][0].removeprefix("\n")]
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._fields[self._textarea][0] += data

    @property
    def _fields(self) -> dict[str, list[str]]:
        fields: dict[str, list[str]] = self.forms[-1]["fields"]
        return fields


@dataclass
class Page:
    """What came back."""

    status: int
    url: str
    source: str
    response: Any

    @property
    def text(self) -> str:
        """As it is read: without tags, spaces as one."""
        bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self.source, flags=re.DOTALL)
        return " ".join(html.unescape(bare).split())

    def form(self, action: str | None = None) -> dict[str, Any]:
        """The page's posting form: the one to this address, or the first that posts to the page itself."""
        parser = _Forms()
        parser.feed(self.source)
        posting = [form for form in parser.forms if form["method"].lower() == "post"]
        for form in posting:
            if action is None and not form["action"]:
                return form
            if action is not None and form["action"].endswith(action):
                return form
        raise AssertionError(f"no form {action or ''} at {self.url}: {[form['action'] for form in posting]}")


class Desk:
    """The operator's browser."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def open(self, path: str) -> Page:
        """A page of the admin, or wherever it leads."""
        response = self.client.get(f"/admin/{path}", follow=True)
        url = response.redirect_chain[-1][0] if response.redirect_chain else f"/admin/{path}"
        return Page(response.status_code, url, response.content.decode(), response)

    def send(self, path: str, _form: str | None = None, **values: Any) -> Page:
        """Open the page, fill in its form and post it; the page that follows."""
        page = self.open(path)
        assert page.status == OK, f"{path}: {page.status}"
        form = page.form(_form)
        typed = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
        filled = {**form["fields"], **typed}
        target = form["action"] or page.url
        response = self.client.post(target, {name: value for name, value in filled.items() if value}, follow=True)
        url = response.redirect_chain[-1][0] if response.redirect_chain else target
        return Page(response.status_code, url, response.content.decode(), response)

    def press(self, path: str, action: str) -> Page:
        """A button of this page that posts to an address ending so."""
        return self.send(path, action)

    def choose(self, path: str, action: str, *pks: int, **values: Any) -> Page:
        """An action of a list for the chosen rows: the page that asks, then the answer."""
        chosen = {"action": action, "_selected_action": [str(pk) for pk in pks], "index": "0", "select_across": "0"}
        response = self.client.post(f"/admin/{path}", chosen)
        asked = Page(response.status_code, f"/admin/{path}", response.content.decode(), response)
        form = asked.form()
        filled = {**form["fields"], **{name: [value] for name, value in values.items()}}
        done = self.client.post(f"/admin/{path}", {name: value for name, value in filled.items() if value}, follow=True)
        return Page(done.status_code, f"/admin/{path}", done.content.decode(), done)
