"""`manage.py sandbox_provider`, as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
import requests
from django.core.management import call_command
from django.core.management.base import CommandError

from providers.sandbox.catalogue import BadCatalogue, load_catalogue, read_catalogue
from providers.sandbox.server import Sandbox
from providers.sandbox.service_types import TYPES
from tests.sandbox.process import MANAGE, SandboxProcess


def test_it_listens_on_loopback_says_where_and_stops_when_asked(tmp_path: Path) -> None:
    with SandboxProcess(tmp_path, "--balance", "500", "--currency", "EUR", "--fault", "services=http:503x1") as sandbox:
        assert sandbox.ask("balance") == {"balance": "500", "currency": "EUR"}
        data = {"key": sandbox.key, "action": "services"}
        assert requests.post(sandbox.url, data=data, timeout=10).status_code == 503
        assert len(sandbox.ask("services")) > 20
        assert sandbox.stop() == 0


def test_its_journal_tells_what_happens_while_nobody_asks(tmp_path: Path) -> None:
    with SandboxProcess(tmp_path, speed=1000) as sandbox:
        order = sandbox.ask("add", service=1, link="https://example.com/a", quantity=50)["order"]
        while "Completed" not in sandbox.journal.statuses(order):
            time.sleep(0.05)


def test_it_needs_no_database(tmp_path: Path) -> None:
    environment = {"PATH": "", "PANEL_DATA_DIR": str(tmp_path), "DATABASE_URL": "postgres://nobody@192.0.2.1:1/none"}
    command = [sys.executable, str(MANAGE), "sandbox_provider"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as lines:
        assert lines.readline().startswith("Sandbox provider listens: http://127.0.0.1:")
        process.terminate()
        assert process.wait(10) == 0


def test_help_has_an_example_the_faults_and_the_words() -> None:
    answer = subprocess.run([sys.executable, str(MANAGE), "sandbox_provider", "--help"], capture_output=True, text=True)
    assert answer.returncode == 0
    for text in ("example:", "--fault add=timeout_after@0.05", "reset_before", "partial:30", "cancel_keep"):
        assert text in answer.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port", "x"], "--port takes a whole number, not 'x'."),
        (["--port", "70000"], "--port is between 0 and 65535, not 70000."),
        (["--speed", "-1"], "--speed is between 0 and 1e+06, not -1."),
        (["--speed", "nan"], "--speed is between 0 and 1e+06, not nan."),
        (["--balance", "lots"], "--balance: 'lots' is not an amount."),
        (["--partial", "2"], "--partial is between 0 and 1, not 2."),
        (["--dialect", "klingon"], "There is no dialect 'klingon'; there are seed, rich, common."),
        (["--fault", "add"], "A fault is written action=kind, for example add=timeout_after@0.05, not 'add'."),
        (["--services", "/nowhere"], "The services file /nowhere cannot be read: No such file or directory."),
        (["--host", "192.0.2.1"], "It cannot start on 192.0.2.1 port 0: "),
    ],
)
def test_wrong_input_is_one_sentence(options: list[str], sentence: str) -> None:
    with pytest.raises(CommandError) as error:
        call_command("sandbox_provider", *options, stdout=StringIO())
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


def test_a_taken_port_is_one_sentence(sandbox: Sandbox) -> None:
    with pytest.raises(CommandError, match=f"It cannot start on 127.0.0.1 port {sandbox.port}: .*in use"):
        call_command("sandbox_provider", "--port", str(sandbox.port))


def test_a_taken_state_is_one_sentence(tmp_path: Path) -> None:
    with Sandbox(state=tmp_path / "state"), pytest.raises(CommandError, match="The state file .* cannot be used"):
        call_command("sandbox_provider", "--state", str(tmp_path / "state"))


# Services of another provider


def write(folder: Path, value: object) -> Path:
    path = folder / "services.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8-sig")
    return path


def test_a_providers_list_is_answered_as_it_stands(tmp_path: Path) -> None:
    items = [
        {"service": 7, "name": "Просмотры ⚡", "type": "default", "rate": 95.5, "min": 1, "max": "99", "x": None},
        {"service": "8", "name": "Odd", "type": "Livestream", "rate": "1", "min": "1", "max": "9", "refill": "1"},
    ]
    with Sandbox(services=write(tmp_path, items), currency="RUB") as sandbox:
        key = {"key": sandbox.key}
        assert sandbox.answer(key | {"action": "services"}) == items
        link = {"action": "add", "link": "https://example.com/a", "quantity": "5"}
        assert sandbox.answer(key | link | {"service": "7"}) == {"order": 23501}
        assert sandbox.answer(key | link | {"service": "8"}) == {"error": "Incorrect service ID"}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("{", "is not JSON"),
        ([], "at least one service"),
        ({"services": []}, "must be a JSON list"),
        ([1], "number 1 of the list is not a JSON object"),
        ([{"service": 1}], "number 1 of the list cannot be read: KeyError"),
        ([{"service": 1, "rate": "free"}], "number 1 of the list cannot be read"),
        ([{"service": 1, "rate": "1"}, {"service": 1, "rate": "1"}], "Service 1 is listed twice"),
        ([{"service": 1, "rate": "1", "sandbox": {"colour": 1}}], "number 1 of the list cannot be read"),
    ],
)
def test_a_list_that_cannot_be_read_is_one_sentence(tmp_path: Path, value: object, sentence: str) -> None:
    with pytest.raises(BadCatalogue, match=sentence):
        load_catalogue(write(tmp_path, value))


def test_the_sandboxs_own_list_has_something_of_everything() -> None:
    services = load_catalogue().values()
    names = [str(service.listing["name"]) for service in services]
    assert 25 <= len(services) <= 35
    assert {service.type.name for service in services if service.type} == {each.name for each in TYPES}
    assert any(service.type is None for service in services)
    assert any(service.min == service.max > 1 for service in services)
    assert any(len(name) > 100 for name in names)
    assert any("а" <= letter <= "я" for name in names for letter in name)
    assert any(ord(letter) > 0x1F000 for name in names for letter in name)
    assert not any("sandbox" in service.listing for service in services)


def test_a_maximum_beyond_any_database_is_cut(tmp_path: Path) -> None:
    services = read_catalogue([{"service": 1, "rate": "0", "min": 1, "max": 10**30}])
    assert services[1].max == 10**12
