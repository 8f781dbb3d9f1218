"""Passwords on the command line: typed, piped in, or made up."""

from __future__ import annotations

import getpass
import secrets
import string
import sys

GENERATED_CHARS = 20  # about 119 bits


class UnreadablePassword(Exception):
    """Standard input does not hold text."""


def read_password() -> str:
    """The first line of standard input, or what is typed at the prompt; empty when nothing was given."""
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        return getpass.getpass("Password (empty: one is made): ")
    try:
        line = sys.stdin.readline().rstrip("\r\n")
        line.encode()  # where the locale is C, Python reads broken bytes as half characters
    except UnicodeError:
        raise UnreadablePassword("The password on standard input is not UTF-8 text.") from None
    return line


def generate_password() -> str:
    """A random password of letters and digits."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(GENERATED_CHARS))
