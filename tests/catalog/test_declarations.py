"""The page on service types says what the declarations say."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from catalog.declarations import LIMITS, render
from catalog.service_types import SERVICE_TYPES

PAGE = Path(settings.BASE_DIR) / "docs" / "service-types.md"


def test_the_committed_page_is_what_the_declarations_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `make docs`, and commit docs/service-types.md"


def test_the_command_prints_the_page_or_writes_it(tmp_path: Path) -> None:
    out, file = StringIO(), tmp_path / "page.md"
    call_command("service_types_doc", stdout=out)
    call_command("service_types_doc", str(file))
    assert out.getvalue() == file.read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("key", SERVICE_TYPES)
def test_each_type_has_a_row_and_each_of_its_fields_another(key: str) -> None:
    kind = SERVICE_TYPES[key]
    rows = [line for line in render().splitlines() if line.startswith(f"| {kind.label} |")]
    assert len(rows) == 1 + len(kind.fields)
    for field, row in zip(kind.fields, rows[1:], strict=True):
        assert row.startswith(f"| {kind.label} | `{field.name}` | {field.label} |")


def test_every_cap_of_a_field_is_among_the_limits() -> None:
    caps = {field.cap for kind in SERVICE_TYPES.values() for field in kind.fields if field.cap}
    assert caps <= {name for name, _ in LIMITS}
    assert all(getattr(settings, name) > 0 for name, _ in LIMITS)


@pytest.mark.parametrize(
    "row",
    [
        "| Default | given; runs × quantity with runs | ⌈rate × quantity ÷ 1000⌉ | `service`, `link`, `quantity`,"
        " [`runs`], [`interval`] | link, quantity, runs, interval |",
        "| Custom Comments Package | none: one package, indivisible | the rate, whole | `service`, `link`, `comments` |"
        " link; details: comments |",
        "| Comment Replies | the lines of `comments` | ⌈rate × quantity ÷ 1000⌉ | `service`, `link`, `username`,"
        " `comments` | link, quantity; details: username, comments |",
        "| Poll | `answer_number` | Answer number | a whole number, in digits | yes | at least 1; at most 1,000 |",
        "| Web Traffic | `referring_url` | Referring link | a link that starts with http(s):// |"
        " only with `type_of_traffic` = 2 | — |",
        "| `MAX_RUNS` | 1,000 | runs of one drip-feed |",
    ],
)  # fmt: skip
def test_rows_as_people_read_them(row: str) -> None:
    assert row in render().splitlines()
