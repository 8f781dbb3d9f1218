"""What is wrong with a line is said in its reader's language, kept in none, and said again in another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from catalog.measuring import Limits, Problem
from catalog.reading import read_line
from catalog.sentences import Sentence, kept, said, say
from catalog.service_types import SERVICE_TYPES, Kind, ServiceType

LIMITS = Limits(min=50, max=100, step=10, link_pattern="", link_example="")
NAMES = ("https://", "http://", "Google", "Android", "iOS", "SEO")


def test_a_sentence_is_kept_and_said_again_in_another_language() -> None:
    sentence = say("%(field)s must be at least %(least)s.", field=say("Quantity"), least="1,000")
    assert sentence == "Quantity must be at least 1,000."
    stored = json.loads(json.dumps(kept(sentence)))
    with translation.override("ru"):
        assert said(stored) == "Значение поля «Количество» должно быть не меньше 1,000."
        assert kept(say("%(field)s must be at least %(least)s.", field=say("Quantity"), least="1,000")) == stored
    assert said(stored) == sentence
    assert said(kept("kept as text before")) == "kept as text before"


def test_what_stands_in_a_sentence_is_never_read_as_words_of_it() -> None:
    assert said(kept(say("This line has too many columns. This service takes: %(columns)s.", columns="%(x)s 5%"))) == (
        "This line has too many columns. This service takes: %(x)s 5%."
    )


def _wrong(kind: ServiceType) -> Iterator[dict[str, Any]]:
    """Every field missing; of every kind of value one that it does not take; every number too small and too large."""
    names = {field.name for field in kind.fields}
    yield {}
    texts = ("two words", "\x07", "1", "55", "99999", "1" * 20, "x" * 500_000, "31/12/2001", "a\n" * 55)
    for value in (*texts, [1], 10**19):
        yield dict.fromkeys(names, value)
    if "runs" in names:
        yield {"link": "https://example.com/", "quantity": "60", "runs": "5"}


@pytest.mark.parametrize("limits", [LIMITS, Limits(50, 100, 10, dripfeed=True, link_pattern="z", link_example="z.z/")])
@pytest.mark.parametrize("kind", SERVICE_TYPES.values(), ids=lambda kind: kind.key)
def test_every_refusal_of_every_type_is_said_in_russian(kind: ServiceType, limits: Limits) -> None:
    for raw in _wrong(kind):
        english = read_line(kind, raw, limits=limits)
        with translation.override("ru"):
            problems = read_line(kind, raw, limits=limits)
        if not isinstance(problems, list):
            continue
        assert isinstance(english, list)
        for one, other in zip(english, problems, strict=True):
            _is_said_in_russian(one, other)


def _is_said_in_russian(english: Problem, russian: Problem) -> None:
    assert (english.field, english.code) == (russian.field, russian.code)
    assert isinstance(russian.message, Sentence)
    assert re.search("[а-яё]{3}", russian.message), russian.message
    left = re.sub("|".join(map(re.escape, (*NAMES, "z.z/"))), "", russian.message)
    assert not re.search("[A-Za-z]{2}", left), russian.message
    assert said(kept(russian.message)) == english.message


@pytest.mark.parametrize("kind", SERVICE_TYPES.values(), ids=lambda kind: kind.key)
def test_every_label_help_and_choice_of_a_form_is_translated(kind: ServiceType) -> None:
    with translation.override("ru"):
        for field in kind.fields:
            choices = [] if field.name == "delay" else [words for _, words in field.choices]
            for words in (kind.label, field.label, field.help, *choices):
                assert not words or words == "SEO" or re.search("[а-яё]{3}", say(words)), words
    assert any(field.kind is not Kind.LINK for field in kind.fields) or len(kind.fields) == 1
