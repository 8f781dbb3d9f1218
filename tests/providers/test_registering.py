"""Adding a provider by the command: what it prints, what it keeps, and that nothing is left of a failure."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.management import CommandError, call_command
from django.db import connection

from ledger.balances import balance_of
from ledger.models import Account, Transfer
from providers.books import exchange_rate_of
from providers.client.sockets import PlainSocket
from providers.fields import KeepsKey
from providers.models import Provider
from providers.registering import NotAdded, checked_url
from records.models import AuditEntry
from tests.providers.builders import KEY, make_provider
from tests.providers.sockets import Panel, answering, certificate, fields_of, free_port

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]
HUNDRED = answering({"balance": "100.84292", "currency": "USD"})


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER_API_KEY", KEY)


def add(name: str, url: str, *options: str) -> str:
    out = io.StringIO()
    call_command("add_provider", name, url, *options, stdout=out)
    return out.getvalue()


def assert_nothing_left() -> None:
    assert not Provider.objects.exists()
    assert not Account.objects.filter(kind="provider").exists()
    assert not Transfer.objects.exists()
    assert not AuditEntry.objects.exists()


class TestAdding:
    def test_the_id_is_printed_and_the_balance_is_booked(self) -> None:
        with Panel(HUNDRED) as panel:
            printed = add("Acme", panel.url)
        provider = Provider.objects.get()
        assert printed == f"{provider.pk}\n"
        assert fields_of(panel.requests[0]) == {"action": "balance", "key": KEY}
        assert balance_of(provider.account) == Decimal("100.84292")
        assert Transfer.objects.get().reference == f"provider:{provider.pk}:opening"
        assert (provider.balance, provider.key) == (Decimal("100.84292"), KEY)

    def test_another_currency_with_its_rate(self) -> None:
        with Panel(answering({"balance": "5000", "currency": "RUB"})) as panel:
            add("Acme", panel.url, "--currency", "rub", "--exchange-rate", "0.011")
        provider = Provider.objects.get()
        assert (provider.currency, exchange_rate_of(provider)) == ("RUB", Decimal("0.011"))
        assert Transfer.objects.get().value == 55

    def test_the_key_from_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PROVIDER_API_KEY")
        monkeypatch.setattr("sys.stdin", io.StringIO("typed-key\n"))
        with Panel(HUNDRED) as panel:
            add("Acme", panel.url)
        assert Provider.objects.get().key == "typed-key"

    @pytest.mark.parametrize("balance", ["0", "-3.5"])
    def test_an_empty_or_overdrawn_account(self, balance: str) -> None:
        with Panel(answering({"balance": balance, "currency": "USD"})) as panel:
            add("Acme", panel.url)
        assert balance_of(Provider.objects.get().account) == Decimal(balance)


class TestFailing:
    """One sentence, and nothing is left behind."""

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            ({"error": "Invalid API key"}, "refused: Invalid API key"),
            (b"<html>hello", "Check the URL"),
            ({"balance": "1", "currency": "EUR"}, "EUR, not in USD"),
            ({"order": 1}, "Check the URL"),
        ],
    )
    def test_by_what_it_answers(self, answer: Any, words: str) -> None:
        with Panel(answering(answer)) as panel, pytest.raises(CommandError, match=words) as caught:
            add("Acme", panel.url)
        assert_nothing_left()
        assert "\n" not in str(caught.value)
        assert KEY not in str(caught.value)

    def test_nobody_there(self) -> None:
        with free_port() as port, pytest.raises(CommandError, match="could not be asked: the connection was refused"):
            add("Acme", f"http://127.0.0.1:{port}/api/v2")
        assert_nothing_left()

    def test_a_private_address(self, settings: Any) -> None:
        settings.PROVIDER_PRIVATE_HOSTS = []
        with Panel(HUNDRED) as panel, pytest.raises(CommandError, match="PROVIDER_PRIVATE_HOSTS"):
            add("Acme", panel.url.replace("http", "https"))
        assert panel.connections == 0
        assert_nothing_left()

    def test_a_certificate_nobody_vouches_for(self, tmp_path: Path) -> None:
        context, _ = certificate(tmp_path, "localhost")
        with Panel(HUNDRED, tls=context) as panel, pytest.raises(CommandError, match="certificate"):
            add("Acme", panel.url)
        assert_nothing_left()

    def test_a_name_that_is_taken(self) -> None:
        make_provider(name="Acme")
        with Panel(HUNDRED) as panel, pytest.raises(CommandError, match="called “Acme” already"):
            add(" Acme ", panel.url)
        assert panel.connections == 0

    @pytest.mark.parametrize("name", ["", "  ", "12", "a" * 61, "a\0b"])
    def test_a_senseless_name(self, name: str) -> None:
        with pytest.raises(CommandError):
            add(name, "https://panel.example/")

    @pytest.mark.parametrize("rate", ["0", "-1", "NaN", "inf", "1e9", "0.0000000000001"])
    def test_a_senseless_rate(self, rate: str) -> None:
        with Panel(HUNDRED) as panel, pytest.raises(CommandError, match="exchange rate"):
            add("Acme", panel.url, f"--exchange-rate={rate}")
        assert_nothing_left()

    def test_a_currency_that_is_none(self) -> None:
        with Panel(answering({"balance": "1"})) as panel, pytest.raises(CommandError, match="not a currency code"):
            add("Acme", panel.url, "--currency", "$")
        assert_nothing_left()

    def test_no_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROVIDER_API_KEY", " ")
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        with pytest.raises(CommandError, match="PROVIDER_API_KEY"):
            add("Acme", "https://panel.example/")


class TestURLs:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (" HTTPS://Panel.Example:443//api/./v2/ ", "https://panel.example/api/v2/"),
            ("https://panel.example:8443/api/v2", "https://panel.example:8443/api/v2"),
            ("https://panel.example", "https://panel.example/"),
            ("http://127.0.0.1:8000/api/v2", "http://127.0.0.1:8000/api/v2"),
            ("http://[::1]:8000/", "http://[::1]:8000/"),
            ("https://panel.example/a/../../b", "https://panel.example/b"),
        ],
    )
    def test_kept(self, given: str, kept: str) -> None:
        assert checked_url(given) == kept

    @pytest.mark.parametrize(
        "url",
        [
            "", "panel.example/api", "ftp://panel.example/", "https://", "https://user:pw@panel.example/",
            "https://panel.example/?key=1", "https://panel.example/#a", "http://panel.example/", "https://a b/",
            "https://panel.example:99999/", "https://[::1/", "https://panel.example/\n", "https://@panel.example/",
            "https://panel.example/" + "a" * 500, "https:\\\\panel.example",
        ],
    )  # fmt: skip
    def test_refused(self, url: str) -> None:
        if url.endswith("\n"):
            url = url[:-1] + "\nX: 1"
        with pytest.raises(NotAdded):
            checked_url(url)


class TestTheKeyAtRest:
    def test_it_is_encrypted_in_the_database(self) -> None:
        provider = make_provider()
        with connection.cursor() as cursor:
            cursor.execute("SELECT key FROM providers_provider WHERE id = %s", [provider.pk])
            (stored,) = cursor.fetchone()
        assert KEY not in stored
        assert len(stored) > len(KEY)
        assert Provider.objects.get().key == KEY

    def test_a_form_never_shows_it_and_keeps_it_when_left_empty(self) -> None:
        provider = make_provider()
        form = ProviderForm(instance=provider)
        assert KEY not in str(form)
        sent = ProviderForm({"name": "Acme 2", "key": ""}, instance=provider)
        assert sent.is_valid(), sent.errors
        sent.save()
        assert (Provider.objects.get().name, Provider.objects.get().key) == ("Acme 2", KEY)
        assert sent.changed_data == ["name"]

    def test_a_new_one_replaces_it_and_is_not_shown_again(self) -> None:
        provider = make_provider()
        sent = ProviderForm({"name": "", "key": "brand-new-key"}, instance=provider)
        assert not sent.is_valid()
        assert "brand-new-key" not in str(sent)
        sent = ProviderForm({"name": "Acme", "key": "brand-new-key"}, instance=provider)
        sent.save()
        assert Provider.objects.get().key == "brand-new-key"

    def test_a_new_provider_needs_one(self) -> None:
        assert "key" in ProviderForm({"name": "Acme", "key": " "}).errors


class ProviderForm(KeepsKey):
    class Meta:
        model = Provider
        fields = ["name", "key"]
        widgets = {"name": forms.TextInput()}


def test_a_retry_prints_nothing_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scripts read the id from there."""
    connect, refused = PlainSocket.connect, [ConnectionRefusedError()]

    def fickle(self: PlainSocket, address: Any) -> None:
        if refused:
            raise refused.pop()
        connect(self, address)

    monkeypatch.setattr(PlainSocket, "connect", fickle)
    with Panel(HUNDRED) as panel:
        call_command("add_provider", "Acme", panel.url)
    assert capsys.readouterr().out == f"{Provider.objects.get().pk}\n"
