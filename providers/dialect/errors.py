"""Where an answer says that it is an error, and in which words.

Shapes seen: `{"error": "…"}`, `errors`, `Error`, `{"success": false, "message": …}`, `{"status": "error", "msg": …}`,
texts nested in objects and lists. Always asked before anything else of an answer or of an item is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from providers.dialect.body import CONTRADICTION, JSON
from providers.dialect.numbers import read_bool, read_text
from providers.dialect.words import letters

_ERROR_KEYS = ("error", "errors", "errormessage", "errormsg")
_MESSAGE_KEYS = ("message", "msg", "description", "detail", "details", "reason", "title")
_FAILURES = frozenset({"error", "fail", "failed", "failure"})
_DEEPEST = 4  # levels of an error object that are looked at for texts
_MOST_TEXTS = 10
_LONGEST_TEXT = 1000  # read of each text; what is kept of it is cut again


def error_texts(value: JSON, *, failed: bool = False) -> list[str] | None:
    """The texts of the error that the value is, or None when it is none. An error without a word gives an empty list.

    `failed` says that the HTTP status was an error's, so that a bare `{"message": "Unauthenticated."}` is one, too.
    """
    if not isinstance(value, dict):
        return None
    fields = [(letters(name), item) for name, item in value.items()]
    said = [item for name, item in fields if name in _ERROR_KEYS and not _is_no_error(item)]
    told = [text for name, item in fields if name in _MESSAGE_KEYS for text in _texts(item)]
    if said:
        return [*[text for item in said for text in _texts(item)], *told][:_MOST_TEXTS]
    if any(name == "success" and read_bool(item) is False for name, item in fields):
        return told[:_MOST_TEXTS]
    # A lone {"status": "error"} is a status word that nobody knows; with a message it is an error.
    failed = failed or says_failure(value.get("status"))
    return told[:_MOST_TEXTS] if failed and told else None


def says_failure(status: JSON) -> bool:
    return isinstance(status, str) and letters(status) in _FAILURES


def _is_no_error(value: JSON) -> bool:
    """Hosts that always send the key put one of these in it when all went well."""
    if value is CONTRADICTION:
        return False
    return value is None or value is False or value in ("", "0", "false", "null", 0) or value in ([], {})


def _texts(value: JSON) -> list[str]:
    """Every text in the value; true and 1 only say that there is an error, they are not its words."""
    return list(_walk(value, _DEEPEST))[:_MOST_TEXTS]


def _walk(value: JSON, levels: int) -> Iterator[str]:
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        text = read_text(value, _LONGEST_TEXT)
        if text and text not in ("1", "true"):
            yield text
    elif levels and isinstance(value, list | dict):
        inner = list(value.values()) if isinstance(value, dict) else value
        for item in inner[:_MOST_TEXTS]:
            yield from _walk(item, levels - 1)
