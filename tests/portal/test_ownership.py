"""What has an id belongs to one customer: every such address, found from the resolver itself, answers 404 to another
customer and sends a visitor to sign in.

An address that is new fails here until it is said how its owner's object is made, or why whoever holds it may open it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.keys import issue_key
from accounts.models import Customer, Session
from callbacks.models import CallbackAddress, CallbackMessage
from callbacks.outbox import send_test
from conversations.models import Message
from conversations.talking import answer, open_thread
from orders.mass import preview
from records.audit import SYSTEM
from tests.portal.builders import a_service, ended

BACKEND = "django.contrib.auth.backends.ModelBackend"
NOT_CUSTOMERS = ("admin:",)  # staff alone: tests/operations
OF_EVERYBODY = {"portal:favourite"}  # a service of the price list; what is marked is one's own
#: Opened by whoever holds the letter; each is good for one thing, and tried in tests/portal/test_joining.py and beside.
OF_A_LETTER = {"portal:join", "portal:choose_password", "portal:confirm_address"}


def _order(owner: Customer) -> int:
    return ended(owner, service=a_service(refill=True)).pk


def _address(owner: Customer) -> CallbackAddress:
    return CallbackAddress.objects.create(customer=owner, url="https://hooks.example/a", secret="whsec_c2VjcmV0")


def _message(owner: Customer) -> int:
    return send_test(address=_address(owner), actor=SYSTEM).pk


def _list(owner: Customer) -> int:
    return preview(customer=owner, text="1 | https://example.com/a | 1").pk


def _answered(owner: Customer) -> int:
    """An order with an answer that its customer has not seen: a stranger's look must not count as his."""
    order = ended(owner)
    thread = open_thread(order=order, topic="dropped", text="It fell.", actor=SYSTEM)
    answer(thread=thread, text="We look into it.", actor=SYSTEM)
    return order.pk


def _session(owner: Customer) -> int:
    return Session.objects.create(user=owner.user, key=f"k{owner.pk}").pk


#: name → makes this customer's own thing, and tells its id
MAKERS: dict[str, Callable[[Customer], int]] = {
    "portal:order": _order,
    "portal:order_live": _order,
    "portal:mass_preview": _list,
    "portal:mass_live": _list,
    "portal:mass_place": _list,
    "portal:mass_errors": _list,
    "portal:refill": _order,
    "portal:cancel": _order,
    "portal:problem": _answered,
    "portal:end_session": _session,
    "portal:api_key_rotate": lambda owner: issue_key(owner)[0].pk,
    "portal:api_key_revoke": lambda owner: issue_key(owner)[0].pk,
    "portal:callback": lambda owner: _address(owner).pk,
    "portal:callback_again": _message,
}


def _with_ids(patterns: Any, before: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _with_ids(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else before)
        elif isinstance(pattern, URLPattern) and (pattern.pattern.converters or pattern.pattern.regex.groups):
            yield f"{before}{pattern.name}"


def _state(owner: Customer) -> list[object]:
    """What a stranger must not move: all of the owner's rows that these addresses are about."""
    return [
        list(owner.orders.order_by("pk").values()),
        list(owner.api_keys.order_by("pk").values()),
        list(CallbackAddress.objects.filter(customer=owner).order_by("pk").values()),
        list(CallbackMessage.objects.filter(customer=owner).order_by("pk").values()),
        list(Session.objects.filter(user=owner.user).order_by("pk").values()),
        list(owner.orders.filter(refills__isnull=False).values("refills__pk")),
        list(owner.mass_orders.order_by("pk").values()),
        list(owner.threads.order_by("pk").values()),
        list(Message.objects.filter(thread__customer=owner).order_by("pk").values()),
    ]


def test_every_address_with_an_id_is_known_here() -> None:
    found = {name for name in _with_ids(get_resolver().url_patterns) if not name.startswith(NOT_CUSTOMERS)}
    assert found == set(MAKERS) | OF_A_LETTER | OF_EVERYBODY


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_another_customer_finds_nothing_there_and_moves_nothing(
    client: Client, alice: Customer, charlie: Customer, name: str
) -> None:
    address = reverse(name, args=[MAKERS[name](alice)])
    before = _state(alice)
    client.force_login(charlie.user, backend=BACKEND)
    answers = {method: getattr(client, method)(address) for method in ("get", "post", "head", "put", "delete")}
    assert {answer.status_code for answer in answers.values()} <= {404, 405}
    assert 404 in {answers["get"].status_code, answers["post"].status_code}
    assert _state(alice) == before


def test_a_list_of_another_customer_is_no_beginning_of_ones_own(
    client: Client, alice: Customer, charlie: Customer
) -> None:
    """The one id that an address carries behind its question mark and that leads to more than a filter."""
    address = f"{reverse('portal:mass_order')}?from={_list(alice)}"
    client.force_login(charlie.user, backend=BACKEND)
    assert client.get(address).status_code == 404
    client.force_login(alice.user, backend=BACKEND)
    assert "1 | https://example.com/a | 1" in client.get(address).content.decode()


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_a_visitor_is_sent_to_sign_in_and_moves_nothing(client: Client, alice: Customer, name: str) -> None:
    address = reverse(name, args=[MAKERS[name](alice)])
    before = _state(alice)
    answers = [client.get(address), client.post(address)]
    sent = [answer for answer in answers if answer.status_code != 405]
    assert sent
    assert all(answer.status_code == 302 and "/sign-in/" in answer.headers["Location"] for answer in sent)
    assert _state(alice) == before


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_its_owner_finds_it(client: Client, alice: Customer, name: str) -> None:
    """Else a wrong id in this very test would look like safety."""
    address = reverse(name, args=[MAKERS[name](alice)])
    client.force_login(alice.user, backend=BACKEND)
    first = client.get(address)
    assert (client.post(address) if first.status_code == 405 else first).status_code in (200, 204, 302)
