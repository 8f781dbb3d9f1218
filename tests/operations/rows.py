"""A row of everything that has a page, for tests that go over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin

from callbacks.models import CallbackAddress
from callbacks.outbox import send_test
from catalog.models import Category, MarkupRule, TextRule
from conversations.models import Thread
from conversations.talking import open_thread
from news.models import Announcement
from orders.models import RefillRequest
from records.attention import raise_attention
from records.audit import SYSTEM, actor_of
from records.models import JobRun, Lease
from tests.orders.builders import a_customer, a_provider, a_service, an_order


def some_of_each() -> Mapping[str, Any]:
    """By the models' names."""
    Category.objects.create(name="Empty")  # a shelf with services cannot be deleted
    provider = a_provider()
    service = a_service(provider)
    customer = a_customer("100")
    order = an_order(customer, service)
    raise_attention(cause="order_held", key="held:1", summary="held", provider_id=provider.pk, order_id=order.pk)
    MarkupRule.objects.create(service=service)
    TextRule.objects.create(provider=provider, find="x")
    JobRun.objects.create(job="verify_books")
    Lease.objects.create(name="verify_books", holder="x")
    RefillRequest.objects.create(order=order, customer=customer)
    Announcement.objects.create(title="Hello", body="x")
    address = CallbackAddress.objects.create(customer=customer, url="https://a.example/", secret="whsec_hidden")
    send_test(address=address, actor=SYSTEM)
    open_thread(order=order, topic=Thread.Topic.OTHER, text="where is it?", actor=actor_of(customer.user))
    found = {model._meta.label_lower: model._default_manager.order_by("pk").first() for model in admin.site._registry}
    assert all(found.values()), found
    return {**found, "accounts.user": customer.user}  # and not whoever looks at it
