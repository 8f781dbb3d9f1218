"""The orders that a provider makes for a subscription: followed, refused where they are another's, and asked again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from orders.accepting import Acceptance, accept
from orders.cancelling import can_cancel, request_cancel
from orders.deciding import CannotDecide, it_exists
from orders.models import CancelRequest, Order, State, Status, UpstreamPart
from orders.refilling import can_refill
from providers.sandbox.server import Sandbox
from tests.orders.builders import (
    OPERATOR,
    a_customer,
    a_provider,
    a_service,
    an_order,
    balance,
    books_are_right,
    followed,
    sent,
    turn,
)
from tests.orders.subscribed import (
    HELD,
    a_subscription,
    a_subscription_service,
    made_for,
    sent_and_followed,
)
from tests.orders.subscription_scene import D, Scene, items, moved, parts, sandbox

__all__ = ["sandbox"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_orders_that_have_not_ended_are_asked_for(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(2)
    first, second = made_for(sandbox, scene.order)
    sandbox.set_order(first.id, status="Completed")
    scene.follow()
    asked = len(sandbox.journal.requests("status"))
    scene.follow()
    new = sandbox.journal.requests("status")[asked:]
    texts = [request["fields"].get("orders", request["fields"].get("order")) for request in new]
    assert texts == [str(scene.order.upstream_id), str(second.id)]


def test_many_of_them_are_asked_for_in_batches(sandbox: Sandbox) -> None:
    scene = Scene(sandbox, posts="7")
    type(scene.provider).objects.filter(pk=scene.provider.pk).update(multi_status_size=3)
    scene.posts(7)
    scene.finish_parts()
    assert scene.follow().state == State.ENDED
    assert len(parts(scene.order)) == 7


def test_no_more_are_asked_for_at_once_than_the_limit_lets(sandbox: Sandbox, settings: Any) -> None:
    settings.PARTS_ASK_MOST = 2
    scene = Scene(sandbox)
    scene.posts(3)
    scene.finish_parts()
    scene.follow()
    assert sum(status == "Completed" for status, _ in parts(scene.order)) == 2
    assert scene.follow().state == State.ENDED


def test_trouble_with_its_orders_leaves_the_rest_to_the_next_sweep(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.advance(300)
    sandbox.faults.add("status", "http", "500", times=1, skip=1)
    order = scene.follow()
    assert (order.state, parts(order)) == (State.ACCEPTED, [("", None)] * 3)  # known, and not read yet
    assert scene.follow().state == State.ENDED


def test_an_id_that_is_another_orders_is_not_taken(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    other = an_order(scene.alice, a_service(scene.provider))
    sent(scene.provider, other)
    scene.says(show={"orders": [other.upstream_id, str(scene.order.upstream_id)]})
    assert parts(scene.order) == []
    [item] = items("contradiction")
    assert set(item.evidence["upstream ids"]) == {other.upstream_id, scene.order.upstream_id}


def test_an_id_that_is_a_part_of_another_order_is_not_taken(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    [part] = made_for(sandbox, scene.order)
    other = a_subscription(scene.alice, scene.order.service, username="bob")
    sent(scene.provider, other)
    sandbox.set_order(str(other.upstream_id), show={"orders": [str(part.id)]})
    followed(scene.provider, scene.order, other)
    assert (len(parts(scene.order)), parts(other)) == (1, [])
    assert [item.order_id for item in items("contradiction")] == [other.pk]


def test_two_orders_that_list_one_id_do_not_both_get_it(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    other = a_subscription(scene.alice, scene.order.service, username="bob")
    sent(scene.provider, other)
    for each in (scene.order, other):
        sandbox.set_order(str(each.upstream_id), show={"orders": ["777"]})
    followed(scene.provider, scene.order, other)
    assert UpstreamPart.objects.get().order_id in (scene.order.pk, other.pk)
    assert len(items("contradiction")) == 1


def test_more_orders_than_any_subscription_has_are_told(sandbox: Sandbox, settings: Any) -> None:
    settings.PARTS_MOST = 2
    scene = Scene(sandbox)
    scene.posts(3)
    assert len(parts(scene.order)) == 2
    assert len(items("contradiction")) == 1


def test_a_part_in_unknown_words_stays_as_it_was_and_is_told(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    sandbox.set_order(made_for(sandbox, scene.order)[0].id, show={"status": "Fail"})
    scene.follow()
    assert parts(scene.order)[0][0] in ("Pending", "")
    assert items("unknown_word")[0].evidence["its part"] == str(made_for(sandbox, scene.order)[0].id)


def test_a_plain_order_that_lists_orders_has_no_parts(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = an_order(a_customer(), a_service(provider))
    sent(provider, order)
    sandbox.set_order(str(order.upstream_id), show={"orders": ["99999"]})
    followed(provider, order)
    assert not UpstreamPart.objects.exists()


def test_no_order_is_accepted_under_the_id_of_a_part(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    [part] = UpstreamPart.objects.all()
    lost = an_order(scene.alice, a_service(scene.provider))
    sandbox.faults.add("add", "answer", f'{{"order": {part.upstream_id}}}', times=1)
    sent(scene.provider, lost)
    assert (lost.state, lost.upstream_id) == (State.UNKNOWN, None)
    assert "another order already holds" in lost.reason
    with pytest.raises(CannotDecide, match=f"a part of order {scene.order.pk}"):
        it_exists(order=lost, upstream_id=part.upstream_id, actor=OPERATOR, reason="I saw it")
    with transaction.atomic():
        late = Acceptance(order=lost, attempt=99, upstream_id=part.upstream_id, cost=D(1), exchange_rate=D(1))
        assert not accept(late)
    assert len(items("late_answer")) == 1
    books_are_right()


# cancels, refills, asking again


def test_a_cancel_is_asked_for_and_settled_by_its_orders(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    assert can_cancel(scene.order).allowed
    request_cancel(order=scene.order, actor=OPERATOR)
    turn("send_cancels", scene.provider)
    sandbox.advance(3)
    scene.finish_parts()
    order = scene.follow()
    assert (order.state, order.status) == (State.ENDED, Status.CANCELED)
    assert order.charge - order.refunded == D("0.04") * len(parts(order))
    assert CancelRequest.objects.get().status == CancelRequest.Status.DONE
    books_are_right()


def test_a_cancel_that_came_after_it_expired_was_too_late(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    request_cancel(order=scene.order, actor=OPERATOR)
    scene.says(status="Expired", charge="0")
    assert CancelRequest.objects.get().status == CancelRequest.Status.TOO_LATE


def test_a_subscription_has_no_refill(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    Order.objects.filter(pk=scene.order.pk).update(refill=True)
    sandbox.finish_all()
    assert can_refill(scene.follow()).why == "A subscription has no refill."


def asked_again(scene: Scene) -> Order:
    Order.objects.filter(pk=scene.order.pk).update(ask_again_at=timezone.now())
    turn("ask_again", scene.provider)
    scene.order.refresh_from_db()
    return scene.order


def test_an_expired_one_that_is_asked_for_again_contradicts_nothing(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    scene.posts(1)
    scene.finish_parts()
    scene.says(status="Expired", charge="0.032")
    assert asked_again(scene).asked_again == 1
    sandbox.set_order(str(scene.order.upstream_id), hide=("charge", "currency"))
    asked_again(scene)
    assert not items("contradiction")
    assert not items("later_refund")
    sandbox.set_order(str(scene.order.upstream_id), show={"status": "Active"})
    asked_again(scene)
    assert len(items("contradiction")) == 1


def test_what_the_provider_gives_back_later_is_credited_and_offered(sandbox: Sandbox) -> None:
    scene = Scene(sandbox)
    sandbox.finish_all()
    scene.follow()
    sandbox.set_order(str(scene.order.upstream_id), charge="0.048")
    order = asked_again(scene)
    assert (order.cost, order.refunded) == (D("0.048"), D(0))
    [item] = items("later_refund")
    assert D(str(item.evidence["customer's share"])) == HELD / 2
    books_are_right()


def test_one_that_is_refused_is_released(sandbox: Sandbox) -> None:
    provider, alice = a_provider(sandbox), a_customer()
    order = a_subscription(alice, a_subscription_service(provider))
    sandbox.faults.add("add", "answer", '{"error": "Bad link"}', times=1)
    sent(provider, order)
    assert (order.state, moved(order), balance(alice)) == (State.ENDED, {"release": HELD}, D(100))
    books_are_right()


def test_posts_left_open_are_held_up_to_the_operators_limit(sandbox: Sandbox) -> None:
    provider = a_provider(sandbox)
    order = a_subscription(a_customer(), a_subscription_service(provider, open_posts=4), posts="")
    sent_and_followed(provider, order)
    assert (order.quantity, order.charge, order.details["posts"]) == (400, D("0.16"), "4")
    assert sandbox.journal.requests("add")[0]["fields"]["posts"] == "4"
