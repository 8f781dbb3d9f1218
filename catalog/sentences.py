"""Sentences for customers, each in the language of whoever reads it.

A sentence is text like any other, in the language that is active when it is said; beside it stays what it was made of,
so that it can be kept (a list is looked at today and read again tomorrow, a job has no reader) and said again in
another language. The API says everything under English, and so does every job.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language, gettext

GROUPS = {"ru": "\N{NO-BREAK SPACE}"}  # where a comma would be read as the decimal point
NUMBER = "number"
Kept = Any  # what JSON can hold: [words, what stands in them], {NUMBER: 1000}; a text that was kept before is itself


class Sentence(str):
    """What `say` makes. `kept` is the same in every language."""

    __slots__ = ("kept",)

    kept: Kept


def say(words: str, /, **values: object) -> Sentence:
    """English words with `%(name)s` in them, in the active language. A value may be a sentence of its own."""
    text = gettext(words)
    sentence = Sentence(text % values if values else text)
    sentence.kept = [words, {name: _kept(value) for name, value in values.items()}]
    return sentence


def kept(sentence: str) -> Kept:
    """A sentence as it is stored, for `said`; plain text is itself."""
    return sentence.kept if isinstance(sentence, Sentence) else sentence


def said(kept: Kept) -> str:
    """A stored sentence in the active language."""
    if isinstance(kept, dict):
        return number(kept[NUMBER])
    if not isinstance(kept, list):
        return str(kept)
    words, values = kept
    return say(words, **{name: said(value) for name, value in values.items()})


def number(value: int) -> Sentence:
    """Thousands apart, as the pages write them; kept as the number that it is."""
    sentence = Sentence(grouped_as_read(f"{value:,}"))
    sentence.kept = {NUMBER: value}
    return sentence


def grouped_as_read(text: str) -> str:
    """A number with commas between its thousands, with what the active language has there."""
    return text.replace(",", GROUPS.get((get_language() or "").partition("-")[0], ","))


def _kept(value: object) -> Kept:
    return kept(value if isinstance(value, str) else str(value))
