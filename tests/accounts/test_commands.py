"""`create_customer` and `create_operator`: for scripts, so what they print and how they refuse is a promise."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError

from accounts.models import Customer, User
from accounts.passwords import generate_password
from accounts.roles import Role, role_of
from ledger.balances import balance_of
from ledger.models import Account, Transfer
from tests.accounts.builders import PASSWORD, anna, customer_for_key

pytestmark = pytest.mark.django_db


class Typed(StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    _give(monkeypatch, f"{PASSWORD}\n")


def _give(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(text))


def _run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().splitlines()


def test_a_customer_with_money_and_a_key_alone_on_the_last_line() -> None:
    lines = _run("create_customer", "Anna@example.com", "--balance", "25.5", "--api-key")
    customer = Customer.objects.get(user__email="anna@example.com")
    assert balance_of(customer.wallet) == Decimal("25.5")
    assert customer_for_key(lines[-1]) == customer
    assert authenticate(username="anna@example.com", password=PASSWORD) == customer.user
    assert PASSWORD not in " ".join(lines)


def test_without_options_no_money_moves_and_no_key_is_made() -> None:
    lines = _run("create_customer", "anna@example.com")
    assert len(lines) == 1
    assert not Transfer.objects.exists()
    assert not Customer.objects.get().api_keys.exists()


@pytest.mark.parametrize("given", ["", "\n"])
def test_an_empty_input_gets_a_password(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    _give(monkeypatch, given)
    lines = _run("create_customer", "anna@example.com", "--api-key")
    [password] = [line.removeprefix("Password: ") for line in lines if line.startswith("Password: ")]
    assert authenticate(username="anna@example.com", password=password) is not None
    assert lines[-1].startswith("smm_")


def test_at_a_keyboard_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Typed())
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
    _run("create_operator", "boss@example.com")
    assert authenticate(username="boss@example.com", password=PASSWORD) is not None


def test_without_any_input_a_password_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert "Password: " in _run("create_operator", "boss@example.com")[-1]


def test_generated_passwords_differ() -> None:
    assert len({generate_password() for _ in range(50)}) == 50


def test_an_operator_has_every_right() -> None:
    lines = _run("create_operator", "Boss@example.com")
    user = User.objects.get()
    assert (user.email, user.is_staff, user.is_superuser) == ("boss@example.com", True, True)
    assert lines == [f"Operator {user.pk} made: boss@example.com."]


@pytest.mark.parametrize("role", Role.values)
def test_an_operator_may_be_made_in_another_role(role: str) -> None:
    _run("create_operator", "helper@example.com", "--role", role)
    assert role_of(User.objects.get()) == role


def test_an_unknown_role_is_one_sentence_and_nobody_is_made() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'king'"):
        _run("create_operator", "helper@example.com", "--role", "king")
    assert not User.objects.exists()


@pytest.mark.parametrize("amount", ["-5", "1.1234567", "x", "", "NaN", "1e3", "1_000", "1,5", "9" * 12, "٣"])
def test_a_wrong_amount_is_one_sentence_and_nothing_is_made(amount: str) -> None:
    with pytest.raises(CommandError, match="No customer was made"):
        _run("create_customer", "anna@example.com", f"--balance={amount}", "--api-key")
    assert not User.objects.exists()
    assert not Account.objects.filter(kind=Account.Kind.WALLET).exists()


@pytest.mark.parametrize("command", ["create_customer", "create_operator"])
def test_a_taken_or_bad_address_is_one_sentence(command: str) -> None:
    anna()
    for email in ("ANNA@example.com", "nobody"):
        with pytest.raises(CommandError, match=r"e-mail address"):
            _run(command, email)
    assert User.objects.count() == 1


@pytest.mark.parametrize("command", ["create_customer", "create_operator"])
def test_a_weak_password_is_one_sentence(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _give(monkeypatch, "short\n")
    with pytest.raises(CommandError, match="too short"):
        _run(command, "anna@example.com")
    assert not User.objects.exists()


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_password_that_is_not_text_is_one_sentence(monkeypatch: pytest.MonkeyPatch, errors: str) -> None:
    broken = BytesIO(b"correct \xff\xfe horse battery\n")
    monkeypatch.setattr("sys.stdin", TextIOWrapper(broken, encoding="utf-8", errors=errors))
    with pytest.raises(CommandError, match="not UTF-8"):
        _run("create_customer", "anna@example.com")


@pytest.mark.parametrize("command", ["create_customer", "create_operator"])
def test_the_help_has_an_example(command: str) -> None:
    assert get_commands()[command] == "accounts"
    text = load_command_class("accounts", command).create_parser("manage.py", command).format_help()
    assert f"Example:\n  echo \"a long password\" | manage.py {command}" in text
