"""The operator's logo: what is taken for one, how it is served, and where it stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from smmpanel.environment import BadSetting, Environment
from smmpanel.logo import MOST_BYTES, Logo, logo_setting, type_of

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def _read(folder: Path, named: str) -> Logo | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "PANEL_LOGO", named)
        return logo_setting(Environment(), folder)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (SVG, "image/svg+xml"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- Made by <svg> -->\n' + SVG, "image/svg+xml"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x.dtd" [\n<!ENTITY a "b">\n]>' + SVG, "image/svg+xml"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0 JFIF", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"<html><svg></svg></html>", None),
        (b"<!-- -->" * 30_000 + b"<html>", None),  # answered at once
        (b"RIFF\x00\x00\x00\x00WAVE", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_what_it_is_its_first_bytes_say(content: bytes, kind: str | None) -> None:
    assert type_of(content) == kind


def test_a_path_goes_from_the_data_folder_or_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "logo.txt").write_bytes(PNG)
    assert _read(tmp_path, "logo.txt") == Logo(PNG, "image/png")
    assert _read(Path("/nowhere"), str(tmp_path / "logo.txt")) == Logo(PNG, "image/png")
    assert _read(tmp_path, "") is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read (No such file or directory): put the image there"),
        (b"GIF89a", "is no SVG, PNG, WebP or JPEG image: choose one of these"),
        (SVG + bytes(MOST_BYTES), "is larger than 300 kB: make it smaller"),
    ],
)
def test_one_that_cannot_be_shown_ends_the_start(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "logo.svg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSetting) as stopped:
        _read(tmp_path, "logo.svg")
    assert str(stopped.value) == f"PANEL_LOGO names {path}, which {sentence}."


def test_a_folder_is_no_logo(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="Is a directory"):
        _read(tmp_path, ".")


def test_it_is_served_as_what_it_is_and_runs_nothing(client: Client, settings: Settings) -> None:
    settings.PANEL_LOGO = Logo(SVG, "image/svg+xml")
    answer = client.get("/logo")
    assert (answer.content, answer.headers["Content-Type"]) == (SVG, "image/svg+xml")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age=86400" in answer.headers["Cache-Control"]
    assert "public" in answer.headers["Cache-Control"]
    assert client.post("/logo").status_code == 405


@pytest.mark.django_db
def test_it_stands_for_the_name_on_every_kind_of_page(as_alice: Client, settings: Settings) -> None:
    settings.PANEL_LOGO, settings.PANEL_NAME = Logo(PNG, "image/png"), "Anna's <panel>"
    image = f'src="/logo?v={settings.PANEL_LOGO.version}" alt="Anna&#x27;s &lt;panel&gt;"'
    for client, path, times in ((as_alice, "/orders/", 2), (Client(), "/sign-in/", 1), (Client(), "/docs/api/", 1)):
        page = client.get(path).content.decode()
        assert page.count(image) == times, path
        assert 'rel="icon" href="/logo?v=' in page
        assert "· Anna&#x27;s &lt;panel&gt;</title>" in page


@pytest.mark.django_db
def test_without_one_the_name_stands_there(client: Client) -> None:
    page = client.get("/sign-in/").content.decode()
    assert '<p class="plain-name">smmpanel' in page
    assert "/logo" not in page
    assert "icon.svg" in page
    assert client.get("/logo").status_code == 404
