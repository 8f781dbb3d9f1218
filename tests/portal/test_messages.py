"""The catalogues: what is compiled is what is written, and a choice of language changes the words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation

from accounts.models import Customer
from catalog.sentences import kept, say
from conversations.talking import open_thread
from orders.mass import preview
from orders.models import CancelRequest, MassOrder, RefillRequest, State
from orders.refilling import can_refill
from portal.callback_words import KNOWN, in_words
from portal.management.commands.messages import compiled, found, in_template, read
from providers.client.transport import _SENTENCES
from records.audit import SYSTEM
from records.models import AttentionItem
from tests.portal.builders import a_service, an_order, ended, under_way

CATALOGUES = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_what_is_compiled_is_what_is_written(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == compiled(path), "run: make messages"


def test_a_templates_words_are_found() -> None:
    source = """{% load i18n %}{% translate "It's" %}{% translate 'a' as b %}{% include "x" with label=_("L") %}
    {% blocktranslate count n=n %}{{ n }} post{% plural %}{{ n }} posts{% endblocktranslate %}
    {% translate "Order" context "to order" %}"""
    messages = [(message, None) for message in ("It's", "a", "L", ("%(n)s post", "%(n)s posts"))]
    assert list(in_template(source)) == [*messages, ("Order", "to order")]


@pytest.mark.django_db
def test_words_follow_the_language(client: Client) -> None:
    assert "Забыли пароль?" in client.get("/sign-in/", headers={"Accept-Language": "ru"}).content.decode()
    assert "Password forgotten" in client.get("/sign-in/", headers={"Accept-Language": "de"}).content.decode()


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_every_word_of_a_customer_is_translated_with_what_stands_in_it(path: Path) -> None:
    catalogue = read(path)
    missing = [message.id for message in found() if message.id and not catalogue.get(message.id, message.context)]
    assert missing == [], "run: make messages"
    for message in catalogue:
        if not message.id:
            continue
        asked = [message.id] if isinstance(message.id, str) else list(message.id)
        said = [message.string] if isinstance(message.string, str) else list(message.string or ())
        assert all(said), f"not translated: {message.id}"
        assert not message.fuzzy, message.id
        needed, possible = _places(asked[-1]), set().union(*map(_places, asked))
        assert all(_places(text) <= possible for text in said), message.id
        assert _places(said[-1]) == needed, message.id
        assert all(text.count("\n") == asked[-1].count("\n") for text in said), message.id


def _places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|</?\w+", text))


@pytest.mark.django_db
def test_a_customers_pages_speak_russian(as_alice: Client, alice: Customer) -> None:
    headers = {"Accept-Language": "ru"}
    service = a_service(refill=True)
    orders = [under_way(alice, service), ended(alice, service=service)]
    for address in ("/orders/", f"/orders/{orders[1].pk}/", "/funds/", "/refills/", "/cancellations/", "/account/"):
        page = as_alice.get(address, headers=headers).content.decode()
        words = re.sub(r"<(script|template)\b.*?</\1>|<[^>]*>", " ", page.partition("<main")[2], flags=re.S)
        assert re.search("[а-яё]{4}", words)
        for english in ("Balance", "Order ", "Status", "Completed", "Placed", "Refill", "Cancel", "Search", "Nothing"):
            assert english not in words, (address, english)


RUSSIAN = {"Accept-Language": "ru"}


def _said(html: str) -> str:
    """The words of a page's own part."""
    main = html.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<(script|template)\b.*?</\1>|<[^>]*>", " ", main, flags=re.S).split())


@pytest.mark.django_db
def test_an_order_form_and_what_is_wrong_with_it_speak_russian(as_alice: Client) -> None:
    service = a_service("Имя", type="web_traffic", category="Полка")
    page = as_alice.get("/order/new/", {"service": service.pk}, headers=RUSSIAN).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(once|service|rate)" value="([^"]*)"', page))
    refused = as_alice.post("/order/new/", {**hidden, "quantity": "3"}, headers=RUSSIAN).content.decode()
    assert "Заполните поле «Ссылка»" in refused
    assert "Значение поля «Количество» должно быть от 50 до 10\N{NO-BREAK SPACE}000." in refused
    for html in (page, refused):
        english = set(re.findall(r"[A-Za-z]{3,}", _said(html))) - {"https", "USD", "Google", "Android", "iOS"}
        assert english == set()


@pytest.mark.django_db
def test_a_list_looked_at_in_one_language_is_read_in_another(as_alice: Client, alice: Customer) -> None:
    """A job that goes on with a list has no language; whoever opens the list has."""
    service = a_service("Имя")
    text = f"{service.pk} | https://example.com/a | 3\n1 | | \nx\n"
    text += f"{service.pk} | https://example.com/b | 100\n" * 2
    mass = preview(customer=alice, text=text)
    mass.results["4"] = [kept(say("The price has changed since you saw it. Nothing was charged: look at it again."))]
    mass.save()
    page = _said(as_alice.get(f"/order/mass/{mass.pk}/", headers=RUSSIAN).content.decode())
    assert "Значение поля «Количество» должно быть от 50 до 10 000." in page
    assert "В первом столбце — номер услуги" in page
    assert "То же, что строка 4: заказывается ещё раз." in page
    assert "С тех пор как вы видели цену, она изменилась." in page
    assert "Quantity must be between 50 and 10,000." in _said(as_alice.get(f"/order/mass/{mass.pk}/").content.decode())


@pytest.mark.django_db
def test_a_language_that_changed_meanwhile_is_no_change_of_the_list(as_alice: Client, alice: Customer) -> None:
    text = f"{a_service().pk} | https://example.com/a | 100\n{a_service().pk} | | \n" * 2
    with translation.override("ru"):
        mass = preview(customer=alice, text=text)
    as_alice.post(f"/order/mass/{mass.pk}/place/", {"version": "0", "which": "good"})
    mass.refresh_from_db()
    assert (mass.state, mass.placed) == (MassOrder.State.DONE, 2)


@pytest.mark.django_db
def test_a_refill_is_declined_as_a_refill(as_alice: Client, alice: Customer) -> None:
    order = ended(alice, service=a_service(refill=True))
    RefillRequest.objects.create(order=order, customer=order.customer, status="Completed", ended_at=timezone.now())
    assert "Выполнено" in _said(as_alice.get("/refills/", headers=RUSSIAN).content.decode())
    assert "Выполнен " in _said(as_alice.get(f"/orders/{order.pk}/", headers=RUSSIAN).content.decode())


@pytest.mark.parametrize(("days", "words"), [(1, "1 день"), (2, "2 дня"), (11, "11 дней"), (21, "21 день")])
@pytest.mark.django_db
def test_days_are_counted_as_russian_counts(alice: Customer, days: int, words: str) -> None:
    order = ended(alice, service=a_service(refill=True, refill_days=days))
    order.ended_at = timezone.now() - timedelta(days=days + 1)
    with translation.override("ru"):
        assert words in can_refill(order).why


@pytest.mark.django_db
def test_what_staff_read_of_a_question_is_not_in_its_writers_language(alice: Customer) -> None:
    with translation.override("ru"):
        open_thread(order=ended(alice), topic="dropped", text="Упало", actor=SYSTEM)
    assert "The count has dropped" in AttentionItem.objects.get(cause="customer_problem").summary


def test_why_a_message_was_not_taken_is_said_anew() -> None:
    with translation.override("ru"):
        assert in_words("it answered 302; redirects are not followed").startswith("ответ 302")
        assert in_words("it did not answer within the deadline") == "не ответил вовремя"
        assert in_words("what nobody knows") == "what nobody knows"
    assert in_words("it answered 500") == "it answered 500"


def test_what_a_delivery_may_say_is_known_here() -> None:
    """Else a customer reads English: those of the other sentences are for providers alone."""
    said = {sentence.partition(";")[0] for _, sentence, _ in _SENTENCES}
    of_providers = {
        "stopped before sending: the order could not be marked as being sent",
        "the key or the User-Agent cannot be sent in a header",
    }
    assert said - of_providers <= KNOWN


NAMES = {"alice", "example", "com", "https", "http", "USD", "UTC", "CSV", "API", "JSON", "Followers", "Instagram"}
OF_CODE = {"api", "drip", "feed", "Idempotency", "Key", "link", "quantity", "service", "smmpanel"}
SPEAKING = (
    "/orders/", "/order/new/", "/order/mass/", "/services/", "/refills/", "/cancellations/", "/funds/", "/news/",
    "/updates/", "/account/api/", "/account/callbacks/", "/account/password/", "/account/address/",
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("address", [*SPEAKING, "ORDER", "ORDERproblem/", "ORDERcancel/", "RUNS"])
def test_no_english_is_left_on_a_russian_page(as_alice: Client, alice: Customer, address: str) -> None:
    service = a_service(refill=True, cancel=True, dripfeed=True)
    order = under_way(alice, service, remains=500)
    ended(alice, service=service)
    drip = an_order(alice, service, runs=2, interval=60, runs_left=1, state=State.SERIES)
    run = ended(alice, service=service, parent=drip, run=1, charge=0)
    RefillRequest.objects.create(order=run, customer=alice, status=RefillRequest.Status.UNKNOWN)
    CancelRequest.objects.create(order=order, customer=alice)
    address = address.replace("ORDER", f"/orders/{order.pk}/").replace("RUNS", f"/orders/{drip.pk}/")
    answer = as_alice.get(address, headers=RUSSIAN, follow=True)
    assert answer.status_code == 200
    english = set(re.findall(r"[A-Za-z]{3,}", _said(answer.content.decode()))) - NAMES - OF_CODE
    assert english == set()


@pytest.mark.django_db
def test_the_apis_documentation_speaks_russian_and_its_document_for_programs_does_not(client: Client) -> None:
    page = client.get("/docs/api/", headers=RUSSIAN).content.decode()
    prose = re.sub(r"<(script|template|pre|code)\b.*?</\1>", "", page.partition("<main")[2], flags=re.S)
    texts = {" ".join(text.split()) for text in re.split(r"<[^>]*>", prose)}
    english = {text for text in texts if re.search("[A-Za-z]{2} [a-z]{2,} [a-z]{2}", text)}
    assert {text for text in english if not re.search("[а-яё]", text)} <= {"Mentions with Hashtags"}
    document = client.get("/docs/api/openapi.json")
    assert document.status_code == 200
    assert client.get("/docs/api/openapi.json", headers=RUSSIAN).content == document.content


@pytest.mark.django_db
def test_a_date_has_its_month_as_the_language_writes_it(as_alice: Client, alice: Customer) -> None:
    order = an_order(alice, created_at=datetime(2026, 11, 27, 12, 0, tzinfo=UTC))
    assert "27 Nov 2026, 12:00 UTC" in as_alice.get(f"/orders/{order.pk}/").content.decode()
    assert "27 ноя 2026, 12:00 UTC" in as_alice.get(f"/orders/{order.pk}/", headers=RUSSIAN).content.decode()


@pytest.mark.django_db
def test_a_lists_verdicts_name_the_field_in_the_readers_words_alone(as_alice: Client, alice: Customer) -> None:
    mass = preview(customer=alice, text=f"{a_service().pk} | https://example.com/a | many")
    page = as_alice.get(f"/order/mass/{mass.pk}/", headers=RUSSIAN).content.decode()
    assert "В поле «Количество» нужно целое число" in page
    assert "quantity" not in page
