"""What must never be written down: secrets, by the name of their field or by how they look in a text.

Audit entries, evidence, stored errors and logs pass through here on their way in. A secret that got into a table of
history would stay there for ever, and everybody who reads the history would have it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

HIDDEN = "(hidden)"
SECRET_WORDS = frozenset(
    {"key", "keys", "apikey", "password", "passwd", "token", "tokens", "secret", "digest", "authorization", "cookie"}
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# name=value, name: value and "name": "value", as forms, headers, JSON and representations of Python objects spell them;
# the name is judged by its last word, without repetition in the pattern: texts are long and come from strangers
_ASSIGNED = re.compile(
    r"""(?ix)
        ( (?<![a-z0-9]) (?:api)? (?:key|password|passwd|token|secret|digest|authorization|cookie)
        | (?<=[a-z]) (?-i: Key|Password|Token|Secret) )
        ( ['"]? \s* [=:] \s* ) ( "[^"]*" | '[^']*' | (?:bearer|basic)\s+\S+ | [^\s&,;}\])]+ )"""
)
_IN_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s/@]{0,300}@")
_OWN_KEY = re.compile(r"\bsmm_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}")


def names_a_secret(name: str) -> bool:
    """Whether a field of this name holds a secret: one of its words says so (`api_key`; not `keywords`)."""
    return any(word.lower() in SECRET_WORDS for word in _WORDS.findall(name))


def scrub(text: str) -> str:
    """The text without what looks like a secret in it: assigned values, user parts of addresses, our own keys."""
    text = _ASSIGNED.sub(rf"\1\2{HIDDEN}", text)
    text = _IN_ADDRESS.sub(rf"\1{HIDDEN}@", text)
    text = _OWN_KEY.sub(HIDDEN, text)
    return text.replace(settings.SECRET_KEY, HIDDEN) if settings.SECRET_KEY else text


def hide(values: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with the values of secret fields replaced, so that one still sees that such a field was there."""
    return {name: HIDDEN if names_a_secret(str(name)) else value for name, value in values.items()}
