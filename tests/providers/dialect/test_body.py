"""From bytes to a JSON value: what may stand around the JSON, and what may not."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest

from providers.dialect.answer import Unreadable
from providers.dialect.body import CONTRADICTION, read_body

NOTICE = b"<br />\n<b>Notice</b>:  Undefined index: runs in <b>/var/www/api.php</b> on line <b>12</b><br />\n"
PLAIN_WARNING = b"\nWarning: Undefined array key [0] {x} in /var/www/api.php on line 12\n"


@pytest.mark.parametrize(
    "body",
    [
        b'{"order": 5}',
        b' \r\n{"order": 5}\n\n',
        b'\xef\xbb\xbf{"order": 5}',
        b'\xef\xbb\xbf\xef\xbb\xbf {"order": 5}',
        NOTICE + b'{"order": 5}',
        NOTICE + NOTICE + b'\xef\xbb\xbf{"order": 5}',
        PLAIN_WARNING + b'{"order": 5}',
        b"PHP Deprecated:  strftime() in a.php on line 3\n" + b'{"order": 5}',
        b'{"order": 5}' + NOTICE,
        b'{"order": 5}\n' + NOTICE + NOTICE,
        b'{"order": 5, "order": 5}',
    ],
)
def test_the_json_is_found_among_what_php_prints_around_it(body: bytes) -> None:
    assert read_body(body) == {"order": 5}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"\xef\xbb\xbf",
        b"wrong url",
        b"<html><body>{}</body></html>",
        b'<html><script>var x = {"order": 5}</script></html>',
        b'<p>Hello</p>{"order": 5}',
        b'{"order": 5',
        b'{"order": 5}}',
        b'{"order": 5}{"order": 6}',
        b'{"error": "x", "last": {"order": 5}',
        NOTICE,
        NOTICE + b'[{"order": 4}, {"order": 5}',
        NOTICE + b'{"error": "x", "last": {"order": 5}',
        NOTICE + b"<html>" + b'{"order": 5}',
        b"<b>Fatal error</b>: Uncaught PDOException in <b>a.php</b> on line <b>3</b><br />" + b'{"order": 5}',
        b'{"order": 5} thank you',
        b'{"order": 5' + NOTICE,
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"{'order': 5}",
        b"\xff\xfe\x00\x01",
    ],
)
def test_what_is_not_one_whole_json_value_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable) as error:
        read_body(body)
    assert error.value.reason


def test_numbers_are_exact_and_never_floats() -> None:
    assert read_body(b'{"charge": 0.1, "rate": 1e-7, "start_count": 12}') == {
        "charge": Decimal("0.1"),
        "rate": Decimal("1e-7"),
        "start_count": 12,
    }


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e99999999999999999999", "9" * 5000, "0." + "1" * 500]
)
def test_a_number_that_is_none_costs_its_field_alone(number: str) -> None:
    assert read_body(f'{{"rate": {number}, "min": 1}}'.encode()) == {"rate": None, "min": 1}


def test_invalid_utf8_is_replaced_not_fatal() -> None:
    assert read_body(b'{"name": "caf\xe9", "service": 1}') == {"name": "caf\ufffd", "service": 1}


def test_raw_line_breaks_inside_a_text_are_taken() -> None:
    assert read_body(b'{"desc": "one\ntwo"}') == {"desc": "one\ntwo"}


@pytest.mark.parametrize(
    "body", [b'{"order": 5, "order": 6}', b'{"order": 5, "order": 6, "order": 5}', b'{"order": 1, "order": true}']
)
def test_a_key_that_is_given_twice_differently_says_nothing(body: bytes) -> None:
    assert read_body(body)["order"] is CONTRADICTION


def test_a_large_answer_with_deep_values_is_read_or_refused_but_never_crashes() -> None:
    for depth in (100, 900, 950, 990, 1100, 50_000):
        deep = b"[" * depth + b"]" * depth
        with suppress(Unreadable):
            read_body(b'{"a": ' + deep + b', "a": ' + deep + b"}")
