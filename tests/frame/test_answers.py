"""What every answer carries: what a page may load, a request's number, whose address is believed, who is locked out."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.models import User
from accounts.visitors import client_address
from smmpanel.logs import logging_settings

PAGE = "/healthz"


def test_a_page_may_load_our_own_files_alone(client: Client) -> None:
    policy = client.get(PAGE).headers["Content-Security-Policy"]
    directives = {directive.strip() for directive in policy.split(";")}
    assert {"default-src 'self'", "script-src 'self'", "style-src 'self'"} <= directives
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_the_admins_theme_gets_what_it_needs_and_no_more(client: Client) -> None:
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy


def test_every_answer_has_a_number_of_its_own(client: Client) -> None:
    first, second = (client.get(PAGE).headers["X-Request-ID"] for _ in range(2))
    assert first != second


def test_a_proxys_number_is_kept_unless_it_could_forge_a_log_line(client: Client) -> None:
    assert client.get(PAGE, headers={"X-Request-ID": "a1b2c3d4-e5f6"}).headers["X-Request-ID"] == "a1b2c3d4-e5f6"
    assert client.get(PAGE, headers={"X-Request-ID": "x\tforged line"}).headers["X-Request-ID"] != "x\tforged line"


def request_from(address: str, forwarded: str = "") -> HttpRequest:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return RequestFactory().get("/", REMOTE_ADDR=address, headers=headers)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "203.0.113.9", "10.0.0.1"),  # no proxy of ours: the header is the visitor's own invention
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),  # what stands left of our proxy's entry is not believed
        (2, "198.51.100.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1"),  # asked past a proxy
        (1, "unknown", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_an_address_is_believed_from_our_own_proxies_alone(
    proxies: int, forwarded: str, seen: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert client_address(request_from("10.0.0.1", forwarded)) == seen


@pytest.mark.django_db
def test_guessing_locks_out_the_guesser_and_not_the_customer(settings: Settings) -> None:
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 3
    User.objects.create_user("alice@example.com", "her own password")
    for spelled in ("alice@example.com", "Alice@example.com", " alice@EXAMPLE.com"):
        assert sign_in("203.0.113.9", spelled, "a guess") is None

    assert sign_in("203.0.113.9", "alice@example.com", "her own password") is None
    assert sign_in("198.51.100.7", "alice@example.com", "her own password") is not None
    assert AccessAttempt.objects.get().username == "alice@example.com"


def sign_in(address: str, email: str, password: str) -> object:
    request = RequestFactory().post("/sign-in/", {"username": email}, REMOTE_ADDR=address)
    return authenticate(request, username=email, password=password)


def test_logs_hold_no_secrets() -> None:
    written = io.StringIO()
    settings = logging_settings(form="json", level="INFO")
    handler = logging.StreamHandler(written)
    logging_format = settings["formatters"]["panel"]
    formatter = logging_format.pop("()")(**logging_format)
    handler.setFormatter(formatter)
    logger = logging.Logger("providers")
    logger.addHandler(handler)

    logger.info("asked https://panel.example.com/api/v2?key=5ecretvalue5ecret&action=balance", extra={"api_key": "abc"})
    try:
        raise ValueError("key=5ecretvalue5ecret is not valid")
    except ValueError:
        logger.exception("It failed")

    assert "5ecretvalue5ecret" not in written.getvalue()
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert first["api_key"] == "(hidden)"
    assert first["level"] == "info"
    assert "ValueError" in second["exception"]
