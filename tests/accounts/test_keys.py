"""API keys: shown once, kept as a hash, looked up in one query, taken back for good."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.keys import KeyRefused, issue_key, revoke_key
from accounts.models import ApiKey
from records.audit import Actor
from records.models import AuditEntry
from tests.accounts.builders import anna, customer_for_key

pytestmark = pytest.mark.django_db


def test_a_key_is_shown_once_and_kept_as_prefix_and_hash() -> None:
    key, text = issue_key(anna(), "My script")
    assert re.fullmatch(r"smm_[A-Za-z0-9]{8}_[A-Za-z0-9]{32}", text)
    stored = ApiKey.objects.get()
    assert (stored.name, stored.prefix) == ("My script", text[:12])
    assert stored.digest == hashlib.sha256(text.encode()).hexdigest()
    assert text[13:] not in str(ApiKey.objects.values()) + str(AuditEntry.objects.values())
    assert key == stored


def test_two_keys_are_different() -> None:
    customer = anna()
    assert issue_key(customer)[1] != issue_key(customer)[1]


def test_a_key_opens_its_customers_account_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    customer = anna()
    _, text = issue_key(customer)
    customer_for_key(text)  # notes the use
    with django_assert_num_queries(1):
        found = customer_for_key(f" {text}\n")
        assert found == customer
        assert found.user.email == "anna@example.com"
        assert found.wallet.currency == "USD"


@pytest.mark.parametrize("text", ["", "smm_", "wrong", "smm_Ab3dEf7h_" + "x" * 32, "\x00", "\ud800", "k" * 100_000])
def test_a_wrong_key_opens_nothing(text: str) -> None:
    issue_key(anna())
    assert customer_for_key(text) is None


def test_the_hash_is_no_key() -> None:
    key, _ = issue_key(anna())
    assert customer_for_key(key.digest) is None


def test_a_revoked_key_opens_nothing_any_more() -> None:
    customer = anna()
    key, text = issue_key(customer)
    _, other = issue_key(customer)
    assert revoke_key(key, actor=Actor("boss"), reason="It leaked.")
    assert customer_for_key(text) is None
    assert customer_for_key(other) == customer
    entry = AuditEntry.objects.get(action="revoke_key")
    assert (entry.actor_name, entry.reason) == ("boss", "It leaked.")


def test_revoking_twice_changes_nothing() -> None:
    key, _ = issue_key(anna())
    revoke_key(key, actor=Actor("boss"))
    before = ApiKey.objects.get().revoked_at
    assert not revoke_key(key, actor=Actor("boss"))
    assert ApiKey.objects.get().revoked_at == before
    assert AuditEntry.objects.filter(action="revoke_key").count() == 1


def test_a_closed_account_has_no_working_keys() -> None:
    customer = anna()
    _, text = issue_key(customer)
    customer.user.is_active = False
    customer.user.save()
    assert customer_for_key(text) is None


def test_its_last_use_is_written_at_most_once_a_minute(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    _, text = issue_key(anna())
    customer_for_key(text)
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(5):
        for _ in range(5):
            customer_for_key(text)
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    customer_for_key(text)
    assert timezone.now() - ApiKey.objects.get().last_used_at < timedelta(seconds=5)  # type: ignore[operator]


def test_the_number_of_keys_has_a_limit_that_revoked_ones_do_not_fill(settings: Settings) -> None:
    settings.API_KEYS_PER_CUSTOMER = 2
    customer = anna()
    key, _ = issue_key(customer)
    issue_key(customer)
    with pytest.raises(KeyRefused, match="2 keys already"):
        issue_key(customer)
    revoke_key(key, actor=Actor("anna"))
    issue_key(customer)
