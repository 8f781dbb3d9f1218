"""Pictures of every page and its states, in both sizes and themes; to be looked at by a person.

    make screenshots

They land in screenshots/ (PANEL_SCREENSHOTS names another folder), which git ignores; SCENES="orders new-order" takes
some alone. Those of the README are in docs/pictures/ and are made anew by `make screenshots PICTURES=1`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser import NewPage
from tests.portal.scenes import NOTED, SCENES, Scene, Stage
from tests.portal.world import a_world

FOLDER = Path(os.environ.get("PANEL_SCREENSHOTS") or "screenshots")
ONLY = os.environ.get("SCENES", "").split()
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
LONGEST = 2400  # pixels of a picture's height: what is below is more of the same

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pictures(live_server: LiveServer, new_page: NewPage, size: str, dark: bool) -> None:
    width, height = SIZES[size]
    stage = Stage(new_page(width=width, height=height, dark=dark, noted=NOTED), live_server.url, a_world())
    folder = FOLDER / f"{size}-{'dark' if dark else 'light'}"
    folder.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        if ONLY and scene.name not in ONLY:
            continue
        stage.show(scene)
        _shoot(stage.page, scene, folder, width)


def _shoot(page: Page, scene: Scene, folder: Path, width: int) -> None:
    page.evaluate("document.fonts.ready")
    tall = min(page.evaluate("document.documentElement.scrollHeight"), LONGEST)
    if scene.act is None and tall > page.evaluate("window.innerHeight"):
        clip = {"x": 0, "y": 0, "width": width, "height": tall}
        page.screenshot(path=folder / f"{scene.name}.png", full_page=True, clip=clip)  # type: ignore[arg-type]
    else:
        page.screenshot(path=folder / f"{scene.name}.png")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{scene.name} is {wide} pixels too wide"
