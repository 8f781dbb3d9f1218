"""The catalogues: what is compiled is what is written, and a choice of language changes the words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Customer
from portal.management.commands.messages import compiled, found, in_template, read
from tests.portal.builders import a_service, ended, under_way

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


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_every_word_of_a_customer_is_translated_with_what_stands_in_it(path: Path) -> None:
    catalogue = read(path)
    missing = [message.id for message in found() if message.id and message.id not in catalogue]
    assert missing == [], "run: make messages"
    for message in catalogue:
        if not message.id:
            continue
        asked = [message.id] if isinstance(message.id, str) else list(message.id)
        said = [message.string] if isinstance(message.string, str) else list(message.string or ())
        assert all(said), f"not translated: {message.id}"
        assert not message.fuzzy, message.id
        needed, possible = _places(asked[-1]), set().union(*map(_places, asked))
        assert all(_places(text) <= possible for text in said), message.id
        assert _places(said[-1]) == needed, message.id
        assert all(text.count("\n") == asked[-1].count("\n") for text in said), message.id


def _places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|</?\w+", text))


@pytest.mark.django_db
def test_a_customers_pages_speak_russian(as_alice: Client, alice: Customer) -> None:
    headers = {"Accept-Language": "ru"}
    service = a_service(refill=True)
    orders = [under_way(alice, service), ended(alice, service=service)]
    for address in ("/orders/", f"/orders/{orders[1].pk}/", "/funds/", "/refills/", "/cancellations/", "/account/"):
        page = as_alice.get(address, headers=headers).content.decode()
        words = re.sub(r"<(script|template)\b.*?</\1>|<[^>]*>", " ", page.partition("<main")[2], flags=re.S)
        assert re.search("[а-яё]{4}", words)
        for english in ("Balance", "Order ", "Status", "Completed", "Placed", "Refill", "Cancel", "Search", "Nothing"):
            assert english not in words, (address, english)
