"""Providers from the operator's side: added only when they answer, asked, paused, paid; the key never shown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.models import Service
from ledger.balances import balance_of
from operations import access
from providers.models import Provider
from providers.outcomes import BalanceReading
from providers.queue import pause
from providers.registering import ask_balance
from providers.sandbox.server import Sandbox
from records.attention import raise_attention
from records.audit import SYSTEM
from records.models import AuditEntry
from tests.operations.desk import Desk, Page
from tests.orders.builders import a_provider, a_route, a_service

pytestmark = pytest.mark.django_db
ADD = "providers/provider/add/"


def add(desk: Desk, sandbox: Sandbox, **changes: str) -> Page:
    given = {"name": "First", "url": sandbox.url, "key": sandbox.key, "currency": "USD", "exchange_rate": "1"}
    return desk.send(ADD, **{**given, **changes})


def at(provider: Provider, step: str = "change") -> str:
    return f"providers/provider/{provider.pk}/{step}/"


def test_a_provider_is_added_with_its_balance_and_its_key_is_not_shown(desk: Desk, sandbox: Sandbox) -> None:
    page = add(desk, sandbox)
    assert "First was added. It holds 1,000.00 USD, now its opening balance." in page.text
    provider = Provider.objects.get()
    assert balance_of(provider.account) == 1000
    assert sandbox.key not in page.source
    assert "gAAAA" not in page.source
    entry = AuditEntry.objects.get(action="provider.add")
    assert entry.actor_name == "olga@example.com"


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"key": "a-wrong-key"}, "key", "The provider refused"),
        ({"url": "http://10.0.0.1/api"}, "url", "must begin with https://"),
        ({"currency": "EUR"}, "currency", "The provider's account is in USD, not in EUR"),
        ({"exchange_rate": "0"}, "exchange_rate", "The exchange rate must be above 0"),
        ({"name": "123"}, "name", "must not be a number alone"),
        ({"key": ""}, "key", "This field is required"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(
    desk: Desk, sandbox: Sandbox, changes: dict[str, str], field: str, sentence: str
) -> None:
    page = add(desk, sandbox, **changes)
    [error] = page.response.context["form"].errors[field]
    assert sentence in error
    assert sentence.replace("'", "&#x27;") in page.source
    assert not Provider.objects.exists()
    assert page.form()["fields"]["key"] == [""]  # what was typed is kept, but for the key
    assert page.form()["fields"]["name"] == [changes.get("name", "First")]


def test_the_connection_is_tested(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    page = desk.press(at(provider), "/test/")
    assert page.url == f"/admin/{at(provider)}"
    assert "Sandbox answered in" in page.text
    assert "ms and holds 1,000.00 USD." in page.text
    assert Provider.objects.get().balance is None  # a test keeps nothing
    assert desk.open(at(provider, "test")).status == 405  # a look changes nothing and asks nothing


def test_a_provider_that_does_not_answer_is_a_sentence(desk: Desk) -> None:
    page = desk.press(at(a_provider()), "/test/")
    assert "The provider could not be asked" in page.text
    assert "Nothing was changed." in page.text


def test_the_balance_is_asked_and_stands_beside_the_books(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    page = desk.press(at(provider), "/ask-balance/")
    assert "Sandbox holds 1,000.00 USD: as the books say." in page.text
    desk.send(at(provider, "top-up"), amount="50", reference="INV-1")
    page = desk.press(at(provider), "/ask-balance/")
    assert "the books say 1,050.00 USD" in page.text
    assert "In our books 1,050.00 USD" in page.text
    assert "−50.00 USD" in page.text


def test_a_top_up_counts_once(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    page = desk.send(at(provider, "top-up"), amount="100", fee="3", bonus="10", reference="INV-2", note="by card")
    assert "107.00 USD more are in the books of Sandbox." in page.text
    again = desk.send(at(provider, "top-up"), amount="100", fee="3", bonus="10", reference="INV-2")
    assert "This reference was recorded before. No money moved." in again.text
    assert again.form()["fields"]["amount"] == ["100"]
    wrong = desk.send(at(provider, "top-up"), amount="1", fee="3", reference="INV-3")
    assert "a fee of at most the amount" in wrong.text
    assert balance_of(provider.account) == 1107


def test_the_queue_is_paused_and_opened(desk: Desk) -> None:
    provider = a_provider()
    assert "This field is required" in desk.send(at(provider, "pause")).text
    assert Provider.objects.get().queue == "open"  # without a reason nothing happens
    page = desk.send(at(provider, "pause"), reason="their maintenance")
    assert "Orders wait, and nothing is sent" in page.text
    assert "Paused their maintenance" in page.text
    assert "does not fit any more" in desk.open(at(provider, "pause")).text
    page = desk.send(at(provider, "reopen"), reason="they are back")
    assert "queue is open" in page.text
    entries = AuditEntry.objects.filter(action__startswith="provider.").order_by("id")
    assert [entry.reason for entry in entries] == ["their maintenance", "they are back"]


def test_a_new_exchange_rate_brings_new_prices(desk: Desk) -> None:
    provider = a_provider(currency="RUB")
    service = a_service(provider, rate="5")
    assert "none: set one" in desk.open(at(provider)).text
    page = desk.send(at(provider, "exchange-rate"), rate="0.5", reason="the bank's")
    assert "One RUB is worth 0.5 USD. 1 price changed." in page.text
    service.refresh_from_db()
    assert service.rate == Decimal("0.54")
    refused = desk.send(at(provider, "exchange-rate"), rate="0")
    assert "must be above 0" in refused.text
    service.refresh_from_db()
    assert service.rate == Decimal("0.54")


def test_the_key_is_changed_where_it_works_and_kept_where_it_is_left_empty(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    page = desk.open(at(provider, "access"))
    assert sandbox.key not in page.source
    wrong = desk.send(at(provider, "access"), key="not-the-key")
    assert "The provider refused" in wrong.text
    assert "not-the-key" not in wrong.source
    assert Provider.objects.get().key == sandbox.key
    page = desk.send(at(provider, "access"), url=sandbox.url.replace("127.0.0.1", "LOCALHOST"), reason="its name")
    assert "Nothing was changed" not in page.text
    provider.refresh_from_db()
    assert (provider.url, provider.key) == (sandbox.url.replace("127.0.0.1", "localhost"), sandbox.key)
    assert AuditEntry.objects.get(action="provider.access").reason == "its name"
    assert not [entry for entry in AuditEntry.objects.all() if sandbox.key in str((entry.before, entry.after))]


def test_settings_are_kept_and_audited_and_the_word_map_must_make_sense(desk: Desk) -> None:
    provider = a_provider()
    refused = desk.send(at(provider), word_map='{"status": {"Fertig": "Finished"}}')
    assert "“Finished” for “Fertig” is not a meaning of “status”" in refused.text
    refused = desk.send(at(provider), word_map='{"status": ')
    assert "Enter a valid JSON" in refused.text
    page = desk.send(at(provider), word_map='{"status": {"Fertig": "Completed"}}', concurrency="9")
    assert "changed successfully" in page.text
    provider.refresh_from_db()
    assert (provider.word_map, provider.concurrency) == ({"status": {"Fertig": "Completed"}}, 9)
    entry = AuditEntry.objects.get(action="provider.settings")
    assert (entry.before["concurrency"], entry.after["concurrency"]) == (4, 9)
    assert entry.actor_name == "olga@example.com"


def test_no_page_of_a_provider_holds_its_key(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    raise_attention(cause="provider_paused", key="x", summary="x", provider_id=provider.pk)
    for step in ("change", "access", "top-up", "pause", "exchange-rate", "import"):
        page = desk.open(at(provider, step))
        assert page.status == 200
        assert sandbox.key not in page.source
        assert "gAAAA" not in page.source


def test_a_provider_that_is_switched_off_no_longer_makes_prices(desk: Desk) -> None:
    first, spare = a_provider(name="Dear"), a_provider(name="Cheap")
    service = a_service(first, rate="1.08")
    a_route(service, spare, "9", position=1, rate="0.50")
    page = desk.send(at(first), active="")
    assert "1 price changed." in page.text
    assert Service.objects.get().rate == Decimal("0.60")


def test_a_pause_that_comes_while_a_new_key_is_tried_stays(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = a_provider(sandbox)

    def paused_meanwhile(fresh: Provider) -> BalanceReading:
        pause(Provider.objects.get(pk=fresh.pk), reason="Not enough funds", cause="funds")
        return ask_balance(fresh)

    monkeypatch.setattr(access, "ask_balance", paused_meanwhile)
    assert access.change_access(provider=provider, url=f"{sandbox.url}/", key="", actor=SYSTEM) == ["url"]
    provider.refresh_from_db()
    assert (provider.url, provider.queue) == (f"{sandbox.url}/", Provider.Queue.PAUSED)


def test_two_exchange_rates_from_one_moment_are_refused(desk: Desk, sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    for rate in ("1.1", "1.2"):
        page = desk.send(at(provider, "exchange-rate"), rate=rate, since="2026-01-31 12:00")
    assert "from that very moment already" in page.text
    assert [each.rate for each in provider.exchange_rates.all()] == [Decimal("1.1")]
