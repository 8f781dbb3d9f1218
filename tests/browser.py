"""A Chromium for the tests that need one, and a page that fails its test for any word on the console.

Where no Chromium is found they are skipped and say so. PANEL_CHROMIUM names one in an unusual place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
WAIT_MS = 10_000
# Chromium notes the status of a whole page too: of a form that was refused, and of the page that tests miss on purpose.
EXPECTED = ("status of 422", "/nowhere/)")

NewPage = Callable[..., Page]


def chromium() -> str | None:
    """Where the system's Chromium is, if it has one."""
    named = os.environ.get("PANEL_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: install it, or name it in PANEL_CHROMIUM")
    # Playwright keeps an event loop in this thread, which makes Django refuse the database to the test itself.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield launched
        launched.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Makes pages; at the end, whatever the browser complained about (scripts, styles, the policy) fails the test."""
    said: list[str] = []
    contexts = []
    expected = list(EXPECTED)

    def heard(message: ConsoleMessage) -> None:
        said.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def make(
        *,
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
        scripts: bool = True,
        ratio: float = 1,
        noted: Sequence[str] = (),
    ) -> Page:
        expected.extend(noted)
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            device_scale_factor=ratio,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        context.on("console", heard)
        context.on("weberror", lambda error: said.append(f"error: {error.error}"))
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    unexpected = [line for line in said if not any(word in line for word in expected)]
    assert unexpected == [], unexpected


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page()
