"""A provider's texts as customers will read them: its own name and links taken out by rules, cut to what fits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from catalog.models import TextRule
from catalog.patterns import LONGEST_PIECE, BadPattern, check_pattern

NAME_LENGTH = 500
SHELF_LENGTH = 300
DESCRIPTION_LENGTH = 20_000
UNNAMED_SHELF = "Other"


LONGEST_TEXT = 100_000  # characters: rules whose replacements grow a text would double it each time


class TextRules:
    """The rules of one provider and those for all, in order. A rule that cannot be used is left out and named."""

    def __init__(self, rules: Iterable[TextRule]) -> None:
        self._steps: list[tuple[re.Pattern[str], str]] = []
        self.unusable: list[str] = []
        for rule in rules:
            if not rule.find:
                continue
            if not rule.is_pattern:
                self._steps.append((re.compile(re.escape(rule.find)), rule.replace.replace("\\", r"\\")))
                continue
            try:
                check_pattern(rule.find, rule.replace)
            except BadPattern as bad:
                self.unusable.append(f"The text rule “{rule.find}” was left out: {bad}")
                continue
            self._steps.append((re.compile(rule.find), rule.replace))

    def name(self, text: str) -> str:
        """One line, never empty: a rule that would take everything away is not followed."""
        return cut(one_line(self._apply(text)), NAME_LENGTH) or cut(one_line(text), NAME_LENGTH)

    def shelf(self, text: str) -> str:
        return cut(one_line(self._apply(text)), SHELF_LENGTH) or UNNAMED_SHELF

    def description(self, text: str) -> str:
        return "\n".join(self._apply(line).rstrip() for line in text.split("\n")).strip()

    def _apply(self, text: str) -> str:
        for pattern, replacement in self._steps:
            pieces = [text[start : start + LONGEST_PIECE] for start in range(0, len(text), LONGEST_PIECE)]
            text = "".join(pattern.sub(replacement, piece) for piece in pieces)[:LONGEST_TEXT]
        return text


def one_line(text: str) -> str:
    return " ".join(storable(text).split())


def many_lines(text: str) -> str:
    return cut(storable(text.replace("\r\n", "\n")).strip(), DESCRIPTION_LENGTH)


def cut(text: str, length: int) -> str:
    """At most `length` characters; a cut text ends in an ellipsis, so that it is seen."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def storable(text: str) -> str:
    """Without NUL, other control characters and half surrogates, which a database or a page cannot take."""
    if text.isprintable():
        return text
    return "".join(
        character for character in text if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    )
