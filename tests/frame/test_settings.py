"""A setting that makes no sense stops every start with one sentence that names it; good ones mean what they say."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.frame.panel import ROOT, clean_environment, manage

LONG_KEY = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SENTENCES = {
    "PORT=abc": "PORT is 'abc': it must be a whole number.",
    "PORT=99999": "PORT is '99999': it must be a whole number from 1 to 65535.",
    "PANEL_CURRENCY=dollars": "PANEL_CURRENCY is 'dollars': it must be a currency code of three capitals, like USD.",
    "DEBUG=maybe": "DEBUG is 'maybe': it must be 1 or 0 (also: true, false, yes, no, on, off).",
    "DATABASE_URL=foo": "DATABASE_URL has a value that cannot be used: it must be an address like "
    "postgres://user:password@host:5432/name or sqlite:////path/to/file.",
    "DATABASE_URL=postgres://host": "DATABASE_URL has a value that cannot be used: it must be an address like "
    "postgres://user:password@host:5432/name or sqlite:////path/to/file.",
    "REDIS_URL=http://elsewhere": "REDIS_URL has a value that cannot be used: it must be an address like "
    "redis://host:6379/0, rediss://… or unix:///path/to/socket.",
    "PUBLIC_URL=panel.example.com": "PUBLIC_URL is 'panel.example.com': it must be an address that begins with "
    "https:// or http://.",
    "ALLOWED_HOSTS=panel.example.com": "SECRET_KEY is missing or shorter than 50 characters: a public panel needs a "
    "long random one.",
    "LOG_LEVEL=loud": "LOG_LEVEL is 'loud': it must be one of DEBUG, ERROR, INFO, WARNING.",
    "JOB_BUDGET_SECONDS=nan": "JOB_BUDGET_SECONDS is 'nan': it must be a number.",
    "PROVIDER_LOW_BALANCE=ten": "PROVIDER_LOW_BALANCE is 'ten': it must be a decimal number.",
    "ORDER_CLAIM_BATCH=0": "ORDER_CLAIM_BATCH is '0': it must be a whole number from 1 up.",
    "CANCEL_RETRY_SECONDS=-1": "CANCEL_RETRY_SECONDS is '-1': it must be a number from 0 up.",
    "WORKER_THREADS=0": "WORKER_THREADS is '0': it must be a whole number from 1 to 200.",
}


@pytest.mark.parametrize(("given", "sentence"), SENTENCES.items(), ids=list(SENTENCES))
def test_a_senseless_value_is_named_in_one_sentence(given: str, sentence: str, tmp_path: Path) -> None:
    name, _, value = given.partition("=")
    shown = _settings(tmp_path, **{name: value})
    assert shown.returncode == 1
    assert shown.stderr == f"{sentence}\n"
    assert not (tmp_path / "panel.sqlite3").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["-m", "gunicorn", "-c", "python:smmpanel.serving", "smmpanel.wsgi"],
        ["-m", "celery", "-A", "smmpanel", "worker"],
        ["-m", "smmpanel.launch"],
    ],
    ids=["manage.py", "gunicorn", "celery", "launcher"],
)
def test_every_process_ends_with_the_sentence_and_no_traceback(command: list[str], tmp_path: Path) -> None:
    ended = _run(command, PANEL_DATA_DIR=str(tmp_path), PORT="abc")
    assert ended.returncode == 1
    assert (ended.stdout + ended.stderr).strip() == SENTENCES["PORT=abc"]


def test_a_secret_that_makes_no_sense_is_not_repeated(tmp_path: Path) -> None:
    shown = _settings(tmp_path, DATABASE_URL="postgres//user:hunter2@host/name")
    assert "hunter2" not in shown.stdout + shown.stderr


def test_an_empty_value_is_the_same_as_none(tmp_path: Path) -> None:
    assert _value("PORT", tmp_path, PORT="", DATABASE_URL="", SECRET_KEY="") == 8000


def test_an_env_file_is_read_and_the_environment_goes_before_it(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text("PORT=9100\nPANEL_NAME=From the file\n")
    assert _value("PANEL_NAME", tmp_path / "data", PANEL_ENV_FILE=str(file)) == "From the file"
    assert _value("PORT", tmp_path / "data", PANEL_ENV_FILE=str(file), PORT="9200") == 9200


def test_a_key_may_begin_with_a_dollar(tmp_path: Path) -> None:
    assert _value("SECRET_KEY", tmp_path, SECRET_KEY="$HOME" + LONG_KEY) == "$HOME" + LONG_KEY


def test_a_key_is_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:  # four processes begin at the same time
        keys = set(pool.map(lambda _: _value("SECRET_KEY", tmp_path), range(4)))
    assert keys == {(tmp_path / "secret.key").read_text().strip()}
    assert len(keys.pop()) >= 50
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_production_settings_pass_djangos_own_check(tmp_path: Path) -> None:
    production = {"SECRET_KEY": LONG_KEY, "ALLOWED_HOSTS": "panel.example.com", "PANEL_DATA_DIR": str(tmp_path)}
    checked = manage("check", "--deploy", "--fail-level", "WARNING", **production)
    assert checked.returncode == 0, checked.stderr


def test_a_public_host_name_means_https(tmp_path: Path) -> None:
    public = {"SECRET_KEY": LONG_KEY, "ALLOWED_HOSTS": "panel.example.com"}
    assert _value("PUBLIC_URL", tmp_path, **public) == "https://panel.example.com"
    assert _value("SESSION_COOKIE_SECURE", tmp_path, **public) is True
    assert _value("SECURE_SSL_REDIRECT", tmp_path, **public) is True
    assert _value("SECURE_PROXY_SSL_HEADER", tmp_path, **public) == ["HTTP_X_FORWARDED_PROTO", "https"]


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({}, False),
        ({"PANEL_DEMO": "0"}, True),
        ({"PANEL_DEMO": "0", "STAFF_TWO_FACTOR": "0"}, False),
        ({"STAFF_TWO_FACTOR": "1"}, True),
        ({"HOST": "0.0.0.0"}, True),  # noqa: S104 - it is what is asked about
        ({"TRUSTED_PROXIES": "1"}, True),
        ({"PUBLIC_URL": "http://panel.lan"}, True),
        ({"ALLOWED_HOSTS": "*"}, True),
        ({"SECRET_KEY": LONG_KEY, "PUBLIC_URL": "https://panel.example.com"}, True),
    ],
)
def test_staff_need_a_second_factor_but_in_the_demo_of_one_machine(
    given: dict[str, str], needed: bool, tmp_path: Path
) -> None:
    assert _value("STAFF_TWO_FACTOR", tmp_path, **given) is needed


def test_where_others_reach_the_panel_it_cannot_be_switched_off(tmp_path: Path) -> None:
    shown = _settings(tmp_path, STAFF_TWO_FACTOR="0", PUBLIC_URL="http://panel.lan")
    assert shown.returncode == 1
    assert shown.stderr == (
        "STAFF_TWO_FACTOR is off, and the panel can be reached from elsewhere: staff need it there.\n"
    )


def test_the_loopback_demo_works_without_https(tmp_path: Path) -> None:
    assert _value("SESSION_COOKIE_SECURE", tmp_path) is False
    assert "127.0.0.1" in _value("ALLOWED_HOSTS", tmp_path)


def test_two_panels_on_one_machine_do_not_share_cookies(tmp_path: Path) -> None:
    assert _value("SESSION_COOKIE_NAME", tmp_path, PORT="8001") != _value("SESSION_COOKIE_NAME", tmp_path, PORT="8002")


def test_without_a_broker_a_worker_says_what_is_missing(tmp_path: Path) -> None:
    ended = _run(["-m", "celery", "--quiet", "-A", "smmpanel", "worker"], PANEL_DATA_DIR=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith(
        "REDIS_URL is missing, and no panel runs in this data folder: a worker has nobody to listen to."
    )


def test_every_setting_is_documented() -> None:
    documented = (ROOT / ".env.example").read_text()
    reading = "\n".join(path.read_text() for path in (ROOT / "smmpanel").glob("*.py"))
    read = set(_names_read(reading))
    missing = {name for name in read if f"#{name}=" not in documented}
    assert not missing, f".env.example does not mention {', '.join(sorted(missing))}"


def _names_read(code: str) -> list[str]:
    return re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', code)


def _settings(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    return _run(["-c", "import smmpanel.settings"], **{"PANEL_DATA_DIR": str(folder), **given})


def _value(name: str, folder: Path, **given: str) -> Any:
    """A setting as a process with this environment has it."""
    code = f"import json, smmpanel.settings as s; print(json.dumps(s.{name}))"
    shown = _run(["-c", code], **{"PANEL_DATA_DIR": str(folder), **given})
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def _run(command: list[str], **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=clean_environment(**given),
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
