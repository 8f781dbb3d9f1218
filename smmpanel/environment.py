"""Reading settings from the environment, and saying in one sentence which of them makes no sense.

A wrong value must stop the start before anything is written, and whoever started the panel wants to know which value,
not where in the code it was read. So a mistake is a `BadSetting`, which is a SystemExit: manage.py, gunicorn, Celery
and the launcher all end with its sentence and no traceback, without each having to catch it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import environ

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
# Their values are not repeated in a message.
SECRET = re.compile(r"KEY|PASSWORD|SECRET|TOKEN|DATABASE_URL|REDIS_URL|EMAIL_URL|SALT")
Count = TypeVar("Count", int, float)
NOTSET = environ.Env.NOTSET
EXPECTED = {
    int: "a whole number",
    float: "a number",
    Decimal: "a decimal number",
    bool: "1 or 0 (also: true, false, yes, no, on, off)",
    list: "a list with commas between",
    dict: "a list of name=value with commas between",
}


class BadSetting(SystemExit):
    """A setting that is missing or makes no sense; the message is one sentence that names it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name


def refuse(name: str, expected: str) -> NoReturn:
    """Stop: what `name` holds is not what is `expected` ("a whole number")."""
    held = os.environ.get(name, "")
    shown = "has a value that cannot be used" if SECRET.search(name) else f"is {held[:60]!r}"
    raise BadSetting(name, f"{shown}: it must be {expected}.")


class Environment(environ.Env):  # type: ignore[misc]
    """django-environ, with every mistake a BadSetting, and an empty value the same as none (Compose passes those)."""

    def get_value(
        self, var: str, cast: Any = None, default: Any = NOTSET, parse_default: bool = False
    ) -> Any:
        text = os.environ.get(var, "").strip()
        if not text:
            if default is NOTSET:
                raise BadSetting(var, "is missing: set it in the environment or in .env.")
            return default
        if cast in (None, str):
            return text  # as it stands: a generated key may begin with "$", which django-environ would follow
        if cast is bool:
            return self._switch(var, text)
        try:
            value = super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except (ValueError, TypeError, LookupError, InvalidOperation, environ.ImproperlyConfigured):
            refuse(var, EXPECTED.get(cast, "something else"))
        if isinstance(value, (float, Decimal)) and not Decimal(value).is_finite():
            refuse(var, EXPECTED[type(value)])
        return value

    @staticmethod
    def _switch(var: str, text: str) -> bool:
        if text.lower() not in TRUE | FALSE:
            refuse(var, EXPECTED[bool])
        return text.lower() in TRUE

    def number(self, var: str, default: int, *, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = int(self.int(var, default=default))
        if not least <= value <= most:
            refuse(var, f"a whole number from {least} to {most}")
        return value

    def limit(self, var: str, default: Count, *, least: int | None = None) -> Count:
        """A whole number from `least` (1) up, or a number of seconds or the like from `least` (0) up; of which kind,
        the default says.
        """
        value = self.get_value(var, cast=type(default), default=default)
        whole = isinstance(default, int)
        lowest = int(whole) if least is None else least
        if value < lowest:
            refuse(var, f"{EXPECTED[type(default)]} from {lowest} up")
        return type(default)(value)

    def choice(self, var: str, default: str, options: Collection[str]) -> str:
        """One of a few words."""
        value = str(self(var, default=default))
        if value not in options:
            refuse(var, f"one of {', '.join(sorted(options))}")
        return value

    def matching(self, var: str, default: str, pattern: str, expected: str) -> str:
        """A text of a given form."""
        value = str(self(var, default=default))
        if not re.fullmatch(pattern, value):
            refuse(var, expected)
        return value

    def address(self, var: str, default: str, *, schemes: Collection[str]) -> str:
        """A URL of one of the schemes, with a host; without a slash at its end."""
        value = str(self(var, default=default))
        if value and not _is_address(value, schemes):
            refuse(var, f"an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value.rstrip("/")

    def each(self, var: str, default: list[str], fits: Callable[[str], object], expected: str) -> list[str]:
        """A list with commas between; every entry must fit."""
        values = [value.strip() for value in self.list(var, default=default)]
        if not all(fits(value) for value in values):
            refuse(var, expected)
        return values


def _is_address(value: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _read_env_file() -> None:
    """Take what .env says for variables that are not set; a file that is there but cannot be read stops the start."""
    path = os.environ.get("PANEL_ENV_FILE", str(Path(__file__).resolve().parent.parent / ".env"))
    if not path or not os.path.exists(path):
        return
    if not os.access(path, os.R_OK):
        raise BadSetting("PANEL_ENV_FILE", f"names {path}, which cannot be read.")
    Environment.read_env(path)


_read_env_file()
env = Environment()
