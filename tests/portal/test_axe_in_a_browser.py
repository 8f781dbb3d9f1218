"""axe finds nothing on any page: of the visitor and of the customer, in light and dark, wide and on a phone.

axe-core is given to the page by the browser itself, past the page's policy and its console (tests/vendor/axe).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from api.urls import urlpatterns as of_the_api
from portal.urls import urlpatterns
from tests.browser import NewPage
from tests.portal.scenes import NOTED, SCENES, Stage
from tests.portal.world import a_world

AXE = Path("tests/vendor/axe/axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async ([part, only]) => {
    const said = (node) => `${node.target} ${node.html.slice(0, 160)} ${node.failureSummary}`;
    const found = await window.axe.run(part, { runOnly: only, resultTypes: ["violations"], preload: false });
    return found.violations.map((each) => `${each.id}: ${each.help}\\n    ${each.nodes.map(said).join("\\n    ")}`);
}"""
EVERYTHING = {"type": "tag", "values": TAGS}
COLOURS = {"type": "rule", "values": ["color-contrast"]}  # nothing else is another one in the dark
NO_PAGES = {
    "home": "leads on", "sign_out": "leads on", "price": "a fragment", "mass_live": "a fragment",
    "orders_live": "a fragment", "order_live": "a fragment", "mass_place": "leads to the list", "mass_errors": "a file",
    "orders_export": "a file", "funds_export": "a file", "favourite": "leads back", "dismiss": "leads back",
    "refill": "leads to the order", "profile": "the account's page", "letters": "the account's page",
    "sign_out_others": "leads to the account", "end_session": "leads to the account",
    "api_repeats": "leads to the API's page", "callback_again": "leads to the callbacks", "language": "leads back",
    "theme": "leads back", "accent": "a style sheet", "logo": "an image", "api_v2": "for programs",
    "api_openapi": "for programs", "None": "for programs",
}  # fmt: skip


def test_every_page_has_a_scene() -> None:
    routes = {str(each.name) for each in (*urlpatterns, *of_the_api)}
    seen = {scene.route() for scene in SCENES}
    assert routes - seen - set(NO_PAGES) == set(), "a page without a scene (tests/portal/scenes.py)"
    assert set(NO_PAGES) <= routes - seen


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_axe_finds_nothing_on_any_page(live_server: LiveServer, new_page: NewPage) -> None:
    page = new_page(noted=NOTED)
    stage = Stage(page, live_server.url, a_world())
    source = AXE.read_text(encoding="utf8")
    found: dict[str, Any] = {}
    for scene in SCENES:
        stage.show(scene)
        page.evaluate(source)
        for width, height, theme, rules in (
            (1440, 900, "light", EVERYTHING), (1440, 900, "dark", COLOURS),
            (390, 844, "dark", COLOURS), (390, 844, "light", EVERYTHING),
        ):  # fmt: skip
            _look(page, width, height, theme)
            wrong = page.evaluate(RUN, [scene.part, rules])
            if wrong:
                found[f"{scene.name}, {width} pixels, {theme}"] = wrong
        _look(page, 1440, 900, "light")
    assert found == {}, "\n".join(f"{where}:\n  " + "\n  ".join(what) for where, what in found.items())


def _look(page: Page, width: int, height: int, theme: Any) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=theme)
