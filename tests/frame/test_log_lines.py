"""Each line of the log says what it belongs to, and none holds a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.context import about
from records.jobs import run_job
from smmpanel import serving
from smmpanel.logs import logging_settings
from tests.frame.panel import free_port
from tests.orders.builders import a_customer, a_provider, a_service, an_order
from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]


class Lines:
    """What was logged since, as a collector reads it."""

    def __init__(self, form: str) -> None:
        self._written = io.StringIO()
        settings = logging_settings(form=form, level="INFO")["formatters"]["panel"]
        self.handler = logging.StreamHandler(self._written)
        self.handler.setFormatter(settings.pop("()")(**settings))

    @property
    def text(self) -> str:
        return self._written.getvalue()

    def of(self, logger: str) -> list[dict[str, Any]]:
        read = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in read if line["logger"] == logger]


@pytest.fixture(params=["json"])
def lines(request: pytest.FixtureRequest) -> Iterator[Lines]:
    made = Lines(request.param)
    root = logging.getLogger()
    level = root.level
    root.addHandler(made.handler)
    root.setLevel(logging.INFO)
    yield made
    root.removeHandler(made.handler)
    root.setLevel(level)


@pytest.mark.django_db
def test_a_line_carries_its_requests_number(client: Client, settings: Settings, lines: Lines) -> None:
    settings.REDIS_URL = f"redis://:5ecret@127.0.0.1:{free_port()}/0"
    answer = client.get("/healthz/ready", headers={"X-Request-ID": "proxy-number-1"})
    [line] = lines.of("smmpanel.health")
    assert answer.headers["X-Request-ID"] == line["request_id"] == "proxy-number-1"
    assert (line["level"], line["message"]) == ("warning", "Not ready: broker ConnectionError")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
    assert "5ecret" not in lines.text


@pytest.mark.django_db(transaction=True)
def test_placed_orders_stand_under_the_request_that_placed_them(lines: Lines) -> None:
    with about(request_id="r" * 8):
        order = an_order(a_customer(), a_service(a_provider()))
    [line] = lines.of("orders.placing")
    assert (line["message"], line["orders"], line["request_id"]) == ("Placed 1 order", [order.pk], "r" * 8)


@pytest.mark.django_db(transaction=True)
def test_a_sent_order_stands_under_its_job_and_run_in_whichever_thread(
    sandbox: Sandbox, settings: Settings, lines: Lines
) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    provider = a_provider(sandbox)
    service, alice = a_service(provider), a_customer()
    orders = [an_order(alice, service, 50, link=f"https://example.com/{number}") for number in range(6)]
    run = run_job("submit_orders", str(provider.pk))
    assert run is not None
    found = lines.of("orders.submitting")
    assert {line["order"] for line in found} == {order.pk for order in orders}
    assert {(line["job"], line["scope"], line["run"]) for line in found} == {
        ("submit_orders", str(provider.pk), run.pk)
    }
    assert all(line["message"].endswith(": accepted") for line in found)
    after = an_order(alice, service, 50, link="https://example.com/after")
    assert [line for line in lines.of("orders.placing") if after.pk in line["orders"]][0].get("job") is None


@pytest.mark.django_db(transaction=True)
def test_no_line_of_an_orders_way_holds_a_key(sandbox: Sandbox, settings: Settings, lines: Lines) -> None:
    """Whether it goes well, the provider fails, or the job breaks off with the key in its error's words."""
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    provider = a_provider(sandbox)
    service, alice = a_service(provider), a_customer()
    for number, fault in enumerate(("reset_after", "http")):
        sandbox.faults.add("add", fault, *(["500"] if fault == "http" else []), times=1)
        an_order(alice, service, 50, link=f"https://example.com/{number}")
        run_job("submit_orders", str(provider.pk))
    key = Provider.objects.get().key
    logging.getLogger("x").error("asked with key=%s and %s", key, {"api_key": key, "password": "hunter22"})
    logging.getLogger("x").error("Authorization: Bearer %s", key)
    logging.getLogger("x").error("It said so", extra={"authorization": key, "token": key})
    assert len(lines.of("x")) == 3
    assert key not in lines.text
    assert "hunter22" not in lines.text
    assert settings.SECRET_KEY not in lines.text


@pytest.mark.parametrize("lines", ["text"], indirect=True)
def test_text_is_one_line_to_read_with_the_same_in_it(lines: Lines) -> None:
    with about(request_id="12345678", order=7):
        logging.getLogger("x").info("It happened")
    assert len(lines.text.splitlines()) == 1
    assert all(word in lines.text for word in ("info", "It happened", "request_id=12345678", "order=7"))


def test_gunicorn_logs_as_the_panel_does() -> None:
    assert serving.logconfig_dict["handlers"]["panel"]["formatter"] == "panel"
    assert serving.logconfig_dict["root"]["handlers"] == ["panel"]
    assert serving.logconfig_dict["loggers"]["gunicorn.error"] == {"level": "INFO", "propagate": True}
