"""How things are written and coloured: money, links, the theme, the operator's accent, error pages, the stylesheet."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings as panel
from django.test import Client, RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Customer
from portal import accent, errors
from portal.money import in_column, places_for, with_currency
from portal.templatetags.panel import middle, moment

ROOT = Path(panel.BASE_DIR)
COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("0.27819", "USD", "$0.27819"),
        ("1234.5", "USD", "$1,234.50"),
        ("-3.2", "EUR", "−€3.20"),
        ("0.000001", "USD", "$0.000001"),
        ("95200", "RUB", "95,200.00\N{NO-BREAK SPACE}₽"),
        ("3", "XTS", "3.00\N{NO-BREAK SPACE}XTS"),
    ],
)
def test_money_has_its_currency(amount: str, currency: str, written: str) -> None:
    assert with_currency(Decimal(amount), currency) == written


@pytest.mark.parametrize(
    ("amounts", "places"),
    [
        (["1", "2.5"], 2),
        (["1", "0.278"], 4),
        (["264.140469"], 4),
        (["0.000001"], 6),
        (["0.00004"], 6),
        ([], 2),
        (["0"], 2),
    ],
)
def test_a_column_has_as_many_places_as_matter(amounts: list[str], places: int) -> None:
    assert places_for(map(Decimal, amounts)) == places


def test_a_column_that_must_add_up_leaves_nothing_out() -> None:
    assert places_for([Decimal("264.140469")], most=6) == 6


@given(st.integers(-(10**15), 10**15), st.sampled_from([2, 4, 6]))
def test_every_amount_of_a_column_takes_the_same_room_behind_the_point(units: int, places: int) -> None:
    text, room = in_column(Decimal(units).scaleb(-6), places)
    assert len(text.partition(".")[2]) + room == places


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1))
def test_no_amount_but_zero_reads_zero(units: list[int]) -> None:
    amounts = [Decimal(each).scaleb(-6) for each in units]
    places = places_for(amounts)
    for amount in amounts:
        assert (Decimal(in_column(amount, places)[0].replace(",", "").replace("−", "-")) == 0) == (amount == 0)


def test_a_long_link_keeps_both_ends() -> None:
    assert middle("abcdefghij", 7) == "abcd…ij"
    assert middle("short", 7) == "short"


def test_a_moment_is_relative_and_exact() -> None:
    html = moment(timezone.now())
    assert "just now" in html
    assert "UTC" in html


@given(COLOURS)
def test_words_can_be_read_whatever_colour_the_operator_picks(colour: tuple[int, int, int]) -> None:
    ink = max(accent.BLACK, accent.WHITE, key=lambda each: accent.contrast(each, colour))
    assert accent.contrast(ink, colour) >= 4.5
    assert accent.contrast(accent.readable(colour, accent.LIGHT_SURFACE, accent.BLACK), accent.LIGHT_SURFACE) >= 4.5
    assert accent.contrast(accent.readable(colour, accent.DARK_SURFACE, accent.WHITE), accent.DARK_SURFACE) >= 4.5


def test_the_accent_is_a_stylesheet_of_its_own(client: Client, settings: pytest.FixtureRequest) -> None:
    settings.PANEL_ACCENT = "#ffd400"  # type: ignore[attr-defined]
    answer = client.get("/accent.css")
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "--accent:#ffd400;--accent-ink:#000000" in answer.content.decode()


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "#123456;}body{display:none"])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="six hexadecimal digits"):
        accent.parse(colour)


def test_a_pinned_theme_is_in_the_page_from_the_first_byte(as_alice: Client) -> None:
    assert "data-theme" not in as_alice.get("/orders/").content.decode()
    answer = as_alice.post("/theme/", {"theme": "dark", "next": "/orders/?status=Pending"})
    assert answer.headers["Location"] == "/orders/?status=Pending"
    assert '<html lang="en" data-theme="dark">' in as_alice.get("/orders/").content.decode()
    as_alice.post("/theme/", {"theme": "system"})
    assert "data-theme" not in as_alice.get("/orders/").content.decode()


@pytest.mark.django_db
def test_the_theme_switch_leads_nowhere_else_and_takes_nothing_else(client: Client) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": "//evil.example/"}).headers["Location"] == "/"
    assert client.post("/theme/", {"theme": '"><script>'}).status_code == 400
    client.cookies["theme"] = '"><script>'
    assert "<script>" not in client.get("/sign-in/").content.decode().partition("<body")[2]


def test_a_missing_page_and_a_broken_one_are_in_the_panels_look(as_alice: Client, alice: Customer) -> None:
    missing = as_alice.get("/nowhere/")
    assert missing.status_code == 404
    assert "Page not found" in missing.content.decode()
    request = RequestFactory().get("/")
    assert "not for your account" in errors.forbidden(request).content.decode()
    broken = errors.broken(request)
    assert broken.status_code == 500
    assert "look at your orders first" in broken.content.decode()


def test_the_committed_stylesheet_is_the_one_its_sources_make(tmp_path: Path) -> None:
    tailwind = Path(sys.executable).parent / "tailwindcss"  # of the development requirements
    made = tmp_path / "panel.css"
    source = ROOT / "portal/styles/input.css"
    subprocess.run(
        [tailwind, "--input", source, "--output", made, "--minify"], check=True, capture_output=True, cwd=ROOT
    )
    assert made.read_text() == (ROOT / "static/css/panel.css").read_text(), "run `make css`"


def test_templates_hold_no_inline_script_or_style() -> None:
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text()
        assert "<style" not in text, template
        assert " style=" not in text, template
        assert "<script>" not in text, template
        assert " onclick" not in text, template


def test_each_language_is_offered_in_its_own_words(client: Client) -> None:
    client.cookies["django_language"] = "ru"
    page = client.get("/sign-in/").content.decode()
    assert 'lang="ru"' in page
    assert ">English</button>" in page
    assert ">Русский</button>" in page
