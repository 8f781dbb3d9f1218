"""The catalogues: what is compiled is what is written, and a choice of language changes the words."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from portal.management.commands.messages import compiled, in_template

CATALOGUES = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_what_is_compiled_is_what_is_written(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == compiled(path), "run: make messages"


def test_a_templates_words_are_found() -> None:
    source = """{% load i18n %}{% translate "It's" %}{% translate 'a' as b %}{% include "x" with label=_("L") %}
    {% blocktranslate count n=n %}{{ n }} post{% plural %}{{ n }} posts{% endblocktranslate %}"""
    assert list(in_template(source)) == ["It's", "a", "L", ("%(n)s post", "%(n)s posts")]


@pytest.mark.django_db
def test_words_follow_the_language(client: Client) -> None:
    assert "Забыли пароль?" in client.get("/sign-in/", headers={"Accept-Language": "ru"}).content.decode()
    assert "Password forgotten" in client.get("/sign-in/", headers={"Accept-Language": "de"}).content.decode()
