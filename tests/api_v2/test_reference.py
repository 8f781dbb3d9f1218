"""What the documentation says is what the API does: complete, current, and valid for programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from api import errors, manual
from api.actions import ACTIONS, SERVICES
from api.examples import examples
from api.openapi import document
from api.parameters import add_parameters, names_of
from api.reference import Answer, Form, actions, form_of
from api.schemas import ANSWERS
from catalog.service_types import SERVICE_TYPES
from tests.api_v2.builders import Reseller
from tests.orders.builders import LINK, a_service

ROOT = Path(__file__).resolve().parent.parent.parent
FORMS = [(action, form) for action in actions() for form in action.forms]
ANSWERED = [(form, answer) for _, form in FORMS for answer in form.answers]


def test_every_action_is_described() -> None:
    assert {action.name for action in actions()} == {*ACTIONS, SERVICES}


def test_every_error_text_stands_in_the_table() -> None:
    texts = [value for name, value in vars(errors).items() if name.isupper() and isinstance(value, str)]
    listed = {re.sub(r"\b(N|NAME)\b", "{}", line.text) for line in errors.TABLE}
    assert set(texts) == listed
    assert all(line.when for line in errors.TABLE)


def test_every_text_that_an_action_names_is_in_the_table() -> None:
    listed = {line.text for line in errors.TABLE}
    assert {text for action in actions() for text in action.refusals} <= listed


def test_every_field_of_every_type_is_described() -> None:
    described = {parameter.name for parameter in add_parameters()}
    for kind in SERVICE_TYPES.values():
        assert {field.name for field in kind.fields} <= described, kind.label
        must, may = names_of(kind)
        assert {*must, *may} == {field.name for field in kind.fields}


@pytest.mark.parametrize(("form", "answer"), ANSWERED, ids=lambda each: getattr(each, "title", ""))
def test_each_example_fits_its_schema(form: Form, answer: Answer) -> None:
    Draft202012Validator(dict(ANSWERS[form.schema])).validate(answer.value)


def test_a_call_is_of_the_form_that_its_fields_say() -> None:
    assert [form_of("status", fields).schema for fields in ({"order": "1"}, {"orders": "1"})] == ["Status", "Statuses"]  # type: ignore[union-attr]
    assert form_of("nonsense", {}) is None


def test_the_openapi_document_is_valid() -> None:
    found = json.loads(json.dumps(document()))
    OPENAPI_31_VALIDATOR.validate(found)
    for name, schema in found["components"]["schemas"].items():
        Draft202012Validator({**schema, "components": found["components"]})
        assert name
    [operation] = found["paths"]["/api/v2"].values()
    assert set(operation["requestBody"]["content"]) == {"application/x-www-form-urlencoded", "application/json"}
    named = {each["properties"]["action"]["const"] for name, each in _requests(found).items()}
    assert named == {*ACTIONS, SERVICES}


def _requests(found: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in found["components"]["schemas"].items() if name.endswith("Request")}


def test_the_committed_page_is_the_one_that_the_reference_makes() -> None:
    assert (ROOT / "docs/api.md").read_text(encoding="utf8") == manual.render(), "run `make docs`"


@pytest.mark.parametrize(("action", "form"), FORMS, ids=lambda each: getattr(each, "title", getattr(each, "name", "")))
def test_the_python_examples_are_python(action: Any, form: Form) -> None:
    _, python, _, _ = examples("https://panel.example/api/v2", action.name, form.asked)
    compile(python.code, "example", "exec")


def test_the_curl_example_sends_what_it_shows(tmp_path: Path) -> None:
    """Read by a shell, into an argument each: quotes and line breaks arrive as they were meant."""
    curl = examples("https://panel.example/api/v2", "add", {"comments": 'It\'s\n$HOME `id` "x"'})[0]
    show = f"{sys.executable} -c 'import json,sys; print(json.dumps(sys.argv[1:]))'"
    script = curl.code.replace("curl ", f"{show} ", 1)
    said = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert json.loads(said.stdout)[-1] == 'comments=It\'s\n$HOME `id` "x"'


def test_a_php_text_is_not_read_as_a_variable() -> None:
    php = examples("https://panel.example/api/v2", "add", {"comments": "$5 each\nnow"})[2]
    assert '"\\$5 each\\nnow"' in php.code


@pytest.mark.django_db
def test_what_the_api_answers_fits_its_schema(rita: Reseller) -> None:
    service = a_service(None)
    made = rita.call("add", service=service.pk, link=LINK, quantity=1000)
    calls: list[tuple[str, dict[str, Any]]] = [
        ("services", {}),
        ("add", {"service": service.pk, "link": f"{LINK}2", "quantity": 100}),
        ("status", {"order": made["order"]}),
        ("status", {"orders": f"{made['order']},7,x"}),
        ("refill", {"orders": f"{made['order']},x"}),
        ("refill_status", {"refills": "1,x"}),
        ("cancel", {"orders": f"{made['order']},x"}),
        ("balance", {}),
    ]
    for action, fields in calls:
        form = form_of(action, fields)
        assert form is not None
        Draft202012Validator(dict(ANSWERS[form.schema])).validate(rita.call(action, **fields))
