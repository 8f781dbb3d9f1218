"""The demo: loaded once from a sandbox that really answers, and left alone from then on."""

from __future__ import annotations

import json
import shlex
import stat
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as settings_
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from honcho.environ import parse_procfile
from pytest_django import Settings

from accounts.models import User
from catalog.models import Service
from catalog.offers import services_on_sale
from catalog.service_types import SERVICE_TYPES
from ledger.balances import balance_of
from operations.demo import CUSTOMER, OPERATOR, load_demo
from orders.models import State, Status
from providers.models import Provider
from providers.sandbox.server import Options, Sandbox
from tests.orders.builders import books_are_right, followed, sent
from tests.orders.subscribed import a_subscription, made_for

pytestmark = pytest.mark.django_db


def dialect_of_the_demo() -> str:
    """As `make run` starts the sandbox."""
    words = shlex.split(parse_procfile((settings_.BASE_DIR / "Procfile").read_text()).processes["sandbox"])
    return words[words.index("--dialect") + 1] if "--dialect" in words else Options().dialect


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    with Sandbox(Options(balance="1000", dialect=dialect_of_the_demo())) as running:
        yield running


def everything() -> dict[str, int]:
    """How many rows each table has."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def test_the_demo_sells_to_a_customer_who_has_money(sandbox: Sandbox, tmp_path: Path) -> None:
    logins = load_demo(sandbox_url=sandbox.url, logins_file=tmp_path / "logins.json")

    provider = Provider.objects.get()
    assert Service.objects.filter(visible=True, off_sale_reason="").count() == provider.services.count() > 0
    customer, operator = logins
    assert (customer.email, operator.email) == (CUSTOMER, OPERATOR)
    for login in logins:
        assert authenticate(None, username=login.email, password=login.password) is not None
    assert balance_of(User.objects.get(email=CUSTOMER).customer.wallet) == Decimal(100)
    assert User.objects.get(email=OPERATOR).is_staff


def test_all_but_an_unknown_type_is_in_the_demos_price_list(sandbox: Sandbox, tmp_path: Path) -> None:
    load_demo(sandbox_url=sandbox.url, logins_file=tmp_path / "logins.json")
    offered = list(services_on_sale())
    assert {service.type for service in offered} == set(SERVICE_TYPES)
    assert set(Service.objects.all()) - set(offered) == {Service.objects.get(type="Live Stream")}
    assert {service.type for service in offered if service.dripfeed} == {"default"}


@pytest.mark.django_db(transaction=True)
def test_a_subscription_of_the_demo_ends_by_itself(sandbox: Sandbox, tmp_path: Path) -> None:
    load_demo(sandbox_url=sandbox.url, logins_file=tmp_path / "logins.json")
    provider, customer = Provider.objects.get(), User.objects.get(email=CUSTOMER).customer
    order = a_subscription(customer, services_on_sale().get(type="subscriptions"))
    sent(provider, order)
    while len(made_for(sandbox, order)) < 3:
        sandbox.advance(2)
    sandbox.finish_all()
    followed(provider, order)
    assert (order.state, order.status) == (State.ENDED, Status.COMPLETED)
    books_are_right()


def test_a_second_load_changes_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    first = load_demo(sandbox_url=sandbox.url, logins_file=file)
    rows, kept = everything(), file.read_text()

    assert load_demo(sandbox_url=sandbox.url, logins_file=file) == first
    assert everything() == rows
    assert file.read_text() == kept


def test_the_provider_follows_a_sandbox_that_moved(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    load_demo(sandbox_url=sandbox.url, logins_file=file)
    load_demo(sandbox_url="http://127.0.0.1:9/api/v2", logins_file=file)
    assert Provider.objects.get().url == "http://127.0.0.1:9/api/v2"


def test_a_load_that_was_cut_short_goes_on_with_the_same_passwords(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    file.write_text(json.dumps({CUSTOMER: "first-password-9", OPERATOR: "second-password-9"}))
    logins = load_demo(sandbox_url=sandbox.url, logins_file=file)
    assert [login.password for login in logins] == ["first-password-9", "second-password-9"]


def test_passwords_are_generated_and_for_the_owner_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    customer, operator = load_demo(sandbox_url=sandbox.url, logins_file=file)
    assert customer.password != operator.password
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_password_that_was_changed_is_not_told_wrongly(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    load_demo(sandbox_url=sandbox.url, logins_file=file)
    user = User.objects.get(email=OPERATOR)
    user.set_password("one of my own")
    user.save()
    assert [login.password is None for login in load_demo(sandbox_url=sandbox.url, logins_file=file)] == [False, True]


def test_a_sandbox_that_does_not_answer_is_said_in_one_sentence(settings: Settings) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    with pytest.raises(CommandError) as refused:
        call_command("load_demo", sandbox_url="http://127.0.0.1:9/api/v2", stdout=StringIO())
    assert "\n" not in str(refused.value)
    assert not User.objects.exists()
