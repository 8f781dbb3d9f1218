"""The same call in four languages, ready to be copied: each runs as it stands once the key is put in."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from api.reference import YOUR_KEY

AN_ORDERS_OWN_KEY = "order-4711-of-my-shop"


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of code; `key` names the language in addresses and classes."""

    key: str
    language: str
    code: str


def examples(address: str, action: str, asked: Mapping[str, str]) -> list[Example]:
    """A call of this action; an order carries an Idempotency-Key, as it should."""
    fields = {"key": YOUR_KEY, "action": action, **asked}
    header = AN_ORDERS_OWN_KEY if action == "add" else ""
    return [Example(key, name, write(address, fields, header)) for key, name, write in LANGUAGES]


def body(fields: Mapping[str, str]) -> str:
    """The fields as a form sends them."""
    return urlencode(fields)


def _curl(address: str, fields: Mapping[str, str], header: str) -> str:
    lines = [f"curl {shlex.quote(address)}"]
    if header:
        lines.append(f"-H {shlex.quote(f'Idempotency-Key: {header}')}")
    lines += [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in fields.items()]
    return " \\\n  ".join(lines)


def _python(address: str, fields: Mapping[str, str], header: str) -> str:
    headers = f"\n    headers={{{_text('Idempotency-Key')}: {_text(header)}}}," if header else ""
    return (
        "import requests\n\n"
        f"response = requests.post(\n    {_text(address)},\n    data={{\n"
        + "".join(f"        {_text(name)}: {_text(value)},\n" for name, value in fields.items())
        + f"    }},{headers}\n    timeout=30,\n)\nprint(response.json())"
    )


def _php(address: str, fields: Mapping[str, str], header: str) -> str:
    headers = f"    CURLOPT_HTTPHEADER => [{_php_text(f'Idempotency-Key: {header}')}],\n" if header else ""
    return (
        f"<?php\n$call = curl_init({_php_text(address)});\ncurl_setopt_array($call, [\n"
        "    CURLOPT_POST => true,\n    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_TIMEOUT => 30,\n"
        f"{headers}    CURLOPT_POSTFIELDS => http_build_query([\n"
        + "".join(f"        {_php_text(name)} => {_php_text(value)},\n" for name, value in fields.items())
        + "    ]),\n]);\nprint_r(json_decode(curl_exec($call), true));"
    )


def _javascript(address: str, fields: Mapping[str, str], header: str) -> str:
    headers = f'  headers: {{"Idempotency-Key": {_text(header)}}},\n' if header else ""
    return (
        f'const response = await fetch({_text(address)}, {{\n  method: "POST",\n'
        f"{headers}  body: new URLSearchParams({{\n"
        + "".join(f"    {name}: {_text(value)},\n" for name, value in fields.items())
        + "  }),\n});\nconsole.log(await response.json());"
    )


def _text(value: str) -> str:
    """A string as Python and JavaScript both read it."""
    return json.dumps(value, ensure_ascii=False)


def _php_text(value: str) -> str:
    return _text(value).replace("$", "\\$").replace("\\/", "/")


LANGUAGES: tuple[tuple[str, str, Callable[[str, Mapping[str, str], str], str]], ...] = (
    ("curl", "curl", _curl),
    ("python", "Python", _python),
    ("php", "PHP", _php),
    ("js", "JavaScript", _javascript),
)
