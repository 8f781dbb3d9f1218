"""Reads what a customer sent for one line, by the declaration of the service's type.

Pure: no database, and no link is ever fetched. Everything wrong with a line is reported at once, each problem at its
field, so that a form can show it there and the API can name it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings

from catalog.measuring import Limits, Measured, NotMeasured, Problem, measure
from catalog.patterns import matches
from catalog.sentences import Sentence, number, say
from catalog.service_types import Field, Kind, Quantity, ServiceType

HANDLE = re.compile(r"@?[\w.\-]{1,100}")
HASHTAG = re.compile(r"#?\w{1,100}")
DIGITS = re.compile(r"[0-9]+")
MOST_DIGITS = 18
FORBIDDEN = {"Cc", "Cs"}  # control characters (NUL too) and half surrogates: not every database and provider takes them


@dataclass(frozen=True, slots=True)
class Read:
    """A line as it will be stored and sent. For a subscription `link` is the username that it follows."""

    link: str
    details: dict[str, str]  # the type's other fields, as they are sent
    measured: Measured

    @property
    def quantity(self) -> int | None:
        return self.measured.quantity


class _Wrong(Exception):
    def __init__(self, message: Sentence, code: str = "invalid") -> None:
        super().__init__(message)
        self.message, self.code = message, code


def read_line(kind: ServiceType, raw: Mapping[str, object], *, limits: Limits) -> Read | list[Problem]:
    """The line, or everything that is wrong with it. Fields that the type does not have are ignored."""
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for field in kind.fields:
        try:
            value = _read_field(field, raw, values, limits)
            if value:
                values[field.name] = value
        except _Wrong as wrong:
            problems.append(Problem(field.name, wrong.message, wrong.code))
    wrong_fields = {problem.field for problem in problems}
    measured = None
    try:
        measured = measure(kind, values, limits=limits, wrong=wrong_fields)
    except NotMeasured as no:
        problems += no.problems
    if problems:
        places = [field.name for field in kind.fields]
        return sorted(problems, key=lambda problem: places.index(problem.field))
    assert measured is not None
    if kind.quantity is Quantity.RESERVED:
        assert measured.quantity is not None
        values["posts"] = str(measured.quantity // int(values["max"]))  # what was left open is sold up to its limit
    link = values.pop("link") if kind.has_link else values["username"]
    for name in ("quantity", "runs", "interval"):
        values.pop(name, None)
    return Read(link, values, measured)


def _read_field(field: Field, raw: Mapping[str, object], read_so_far: Mapping[str, str], limits: Limits) -> str:
    if field.when is not None and read_so_far.get(field.when[0]) != field.when[1]:
        return ""
    text = _text(field, raw.get(field.name))
    if not field.required and text == "0" and field.kind is Kind.INTEGER:
        return ""  # some clients always send a zero
    if not text:
        if field.required:
            raise _Wrong(_required(field), "required")
        return ""
    if field.drip_feed and not limits.dripfeed:
        raise _Wrong(say("This service has no drip-feed. Leave runs and interval empty."), "no_drip_feed")
    value = _READERS[field.kind](field, text)
    if field.name == "link" and limits.link_pattern:
        _follows_rule(value, limits)
    return value


def _follows_rule(link: str, limits: Limits) -> None:
    """The category's own rule for links, where the operator made one."""
    if matches(limits.link_pattern, link):
        return
    if not limits.link_example:
        raise _Wrong(say("This link does not fit this service."), "link_rule")
    words = say("This link does not fit this service. It should look like %(example)s", example=limits.link_example)
    raise _Wrong(words, "link_rule")


def _required(field: Field) -> Sentence:
    if field.many:
        return say("%(field)s are required.", field=say(field.label))
    return say("%(field)s is required.", field=say(field.label))


def _far_too_large(field: Field) -> _Wrong:
    return _Wrong(say("%(field)s is far too large.", field=say(field.label)), "too_large")


def _too_long(field: Field, most: int) -> _Wrong:
    words = say("%(field)s may have at most %(most)s characters.", field=say(field.label), most=number(most))
    return _Wrong(words, "too_long")


def _text(field: Field, value: object) -> str:
    """The value as text without what no field may hold. Only text and whole numbers are values."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**18:
            raise _far_too_large(field)
        return str(value)
    if not isinstance(value, str):
        raise _Wrong(say("%(field)s must be text or a whole number.", field=say(field.label)))
    most: int = settings.MAX_LINES_LENGTH if field.kind is Kind.LINES else settings.MAX_LINK_LENGTH
    if len(value) > most:
        raise _too_long(field, most)
    if field.kind is Kind.LINES:
        return _joined_lines(field, value)
    text = value.strip()
    _refuse_control_characters(field, text)
    return text


def _joined_lines(field: Field, value: str) -> str:
    """Split at newlines only, trimmed, without empty lines, joined again by \\n.

    A line of blanks of any kind is empty: a provider that trims more than we do would count fewer than were paid.
    """
    lines = [line for line in (part.strip() for part in value.replace("\r\n", "\n").split("\n")) if line]
    if len(lines) > settings.MAX_LINES:
        most = number(settings.MAX_LINES)
        words = say("%(field)s may have at most %(most)s lines.", field=say(field.label), most=most)
        raise _Wrong(words, "too_many_lines")
    for place, line in enumerate(lines, start=1):
        if len(line) > settings.MAX_LINE_LENGTH:
            most = number(settings.MAX_LINE_LENGTH)
            raise _Wrong(say("Line %(line)s is longer than %(most)s characters.", line=place, most=most), "too_long")
        _refuse_control_characters(field, line)
    return "\n".join(lines)


def _refuse_control_characters(field: Field, text: str) -> None:
    if not text.isprintable() and any(unicodedata.category(character) in FORBIDDEN for character in text):
        words = say("%(field)s holds characters that cannot be used.", field=say(field.label))
        raise _Wrong(words, "control_characters")


def _integer(field: Field, text: str) -> str:
    if not DIGITS.fullmatch(text):
        words = say("%(field)s must be a whole number, in digits only.", field=say(field.label))
        raise _Wrong(words, "not_a_number")
    if len(text) > MOST_DIGITS:
        raise _far_too_large(field)
    value = int(text)
    if field.least is not None and value < field.least:
        least = number(field.least)
        raise _Wrong(say("%(field)s must be at least %(least)s.", field=say(field.label), least=least), "too_small")
    most = getattr(settings, field.cap) if field.cap else field.most
    if most is not None and value > most:
        words = say("%(field)s must be at most %(most)s.", field=say(field.label), most=number(most))
        raise _Wrong(words, "too_large")
    return str(value)


def _link(field: Field, text: str) -> str:
    if _is_url(text) or (field.handle and HANDLE.fullmatch(text)):
        return text
    if field.handle:
        raise _Wrong(say("Enter a full link that starts with https://, or a username."), "bad_link")
    raise _Wrong(say("Enter a full link that starts with https://."), "bad_link")


def _is_url(text: str) -> bool:
    """Whether this is a web address as a browser takes it; the name in it is not looked up."""
    if any(character.isspace() for character in text):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.scheme in ("http", "https") and _is_host(parts.hostname) and "@" not in parts.netloc) and (
            parts.port is None or parts.port > 0
        )
    except ValueError:  # a port or an IPv6 address that is none
        return False


def _is_host(name: str | None) -> bool:
    return name is not None and ("." in name.strip(".") or ":" in name)


def _one_of(field: Field, text: str) -> str:
    if text not in dict(field.choices):
        values = ", ".join(value for value, _ in field.choices)
        words = say("%(field)s: choose one of %(values)s.", field=say(field.label), values=values)
        raise _Wrong(words, "bad_choice")
    return text


def _plain_text(field: Field, text: str) -> str:
    if len(text) > settings.MAX_TEXT_LENGTH or "\n" in text:
        raise _too_long(field, settings.MAX_TEXT_LENGTH)
    return text


def _username(field: Field, text: str) -> str:
    if not HANDLE.fullmatch(text):
        words = say("%(field)s may hold letters, digits, dots, dashes and underscores.", field=say(field.label))
        raise _Wrong(words, "bad_username")
    return text


def _hashtag(field: Field, text: str) -> str:
    if not HASHTAG.fullmatch(text):
        words = say("%(field)s must be one word of letters and digits.", field=say(field.label))
        raise _Wrong(words, "bad_hashtag")
    return text


def _date(field: Field, text: str) -> str:
    try:
        day = datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=UTC)
    except ValueError as error:
        words = say("%(field)s must be a date such as 31/12/2030.", field=say(field.label))
        raise _Wrong(words, "bad_date") from error
    if day.date() < datetime.now(UTC).date():
        raise _Wrong(say("%(field)s must not be in the past.", field=say(field.label)), "past_date")
    return day.strftime("%d/%m/%Y")


_READERS: Mapping[Kind, Callable[[Field, str], str]] = {
    Kind.LINK: _link, Kind.URL: _link, Kind.INTEGER: _integer, Kind.LINES: lambda _, text: text,
    Kind.TEXT: _plain_text, Kind.USERNAME: _username, Kind.HASHTAG: _hashtag, Kind.CHOICE: _one_of, Kind.DATE: _date,
}  # fmt: skip
