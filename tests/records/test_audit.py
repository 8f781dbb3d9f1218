"""The audit trail: who changed what and why, with the change or not at all; and never a secret."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from accounts.models import User
from records.audit import SYSTEM, Actor, actor_of, audit
from records.models import AuditEntry
from records.redaction import names_a_secret, scrub


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_user("boss@example.com")


def test_an_entry_says_who_what_and_why(boss: User) -> None:
    audit(
        actor=actor_of(boss),
        action="set_rate",
        target=boss,
        reason="Dearer at the provider.",
        before={"rate": Decimal("0.90"), "name": "Followers"},
        after={"rate": Decimal("1.10"), "name": "Followers"},
    )
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_name) == (boss, "boss@example.com")
    assert (entry.action, entry.target_type, entry.target_id) == ("set_rate", "accounts.user", boss.pk)
    assert entry.reason == "Dearer at the provider."
    assert (entry.before, entry.after) == ({"rate": "0.90"}, {"rate": "1.10"})  # the name did not change


def test_the_name_of_who_did_it_stays_when_he_is_gone(boss: User) -> None:
    audit(actor=actor_of(boss), action="leave", target=boss)
    boss.delete()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_name) == (None, "boss@example.com")


def test_of_a_secret_one_sees_that_it_changed(boss: User) -> None:
    audit(
        actor=SYSTEM,
        action="set_key",
        target=boss,
        before={"key": "old", "settings": {"api_token": "a", "timeout": 5}},
        after={"key": "new", "settings": {"api_token": "b", "timeout": 5}},
    )
    entry = AuditEntry.objects.get()
    assert entry.after == {"key": "(hidden)", "settings": {"api_token": "(hidden)", "timeout": 5}}


def test_an_overlong_reason_is_cut_not_refused(boss: User) -> None:
    audit(actor=Actor("x" * 300), action="note", target=boss, reason="y" * 600)
    entry = AuditEntry.objects.get()
    assert (len(entry.actor_name), len(entry.reason)) == (254, 500)


def test_a_visitor_is_nobody() -> None:
    with pytest.raises(AssertionError, match="visitor"):
        actor_of(AnonymousUser())


@pytest.mark.django_db(transaction=True)
def test_an_entry_shares_the_fate_of_its_change() -> None:
    with transaction.atomic():
        user = User.objects.create_user("anna@example.com")
        audit(actor=SYSTEM, action="make", target=user)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_it_refuses() -> None:
    user = User.objects.create_user("anna@example.com")
    with pytest.raises(AssertionError, match="transaction of its change"):
        audit(actor=SYSTEM, action="make", target=user)


@pytest.mark.parametrize(
    "name",
    ["key", "api_key", "apiKey", "API-Key", "APIKey", "password", "new_password", "accessToken", "client_secret"],
)
def test_names_of_secrets(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize("name", ["keywords", "monkey", "passage", "secretary", "rate", "order_id", ""])
def test_names_that_only_look_alike(name: str) -> None:
    assert not names_a_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        "POST /api/v2 key=s3cr3t&action=add",
        '{"key": "s3cr3t", "action": "add"}',
        "{'api_key': 's3cr3t'}",
        "Authorization: Bearer s3cr3t",
        "postgres://panel:s3cr3t@db/panel refused",
        "redis://:s3cr3t@10.0.0.1:6379/0",
        "password = s3cr3t",
        "X-Api-Key: s3cr3t",
        "a_b_c_d_e_client_secret=s3cr3t",
        "accessToken: 's3cr3t'",
        "APIKEY=s3cr3t",
    ],
)
def test_a_text_loses_its_secrets_and_keeps_the_rest(text: str) -> None:
    assert "s3cr3t" not in scrub(text)
    assert "(hidden)" in scrub(text)


def test_a_strangers_long_text_takes_no_time() -> None:
    began = time.monotonic()
    for text in ("a-" * 50_000, "a_" * 50_000, "key" * 30_000, "key=" * 30_000, "-key" * 30_000, "x://" * 30_000):
        scrub(text)
    assert time.monotonic() - began < 5


def test_our_own_keys_are_known_by_their_looks() -> None:
    assert scrub("got smm_Ab3dEf7h_" + "x" * 32 + " today") == "got (hidden) today"


@pytest.mark.parametrize("text", ["KeyError: 'rate'", "the keyword=dogs list", "monkey: 3", "no secret here"])
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert scrub(text) == text
