"""The customer's API page: keys of his own alone, shown once; what a repeated order means; his scripts' last calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from accounts import calls
from accounts.calls import Logged, keep_call
from accounts.keys import issue_key, open_with, revoke_key
from accounts.models import ApiKey, Customer
from records.audit import SYSTEM
from records.models import AuditEntry
from tests.accounts.builders import customer_for_key

pytestmark = pytest.mark.django_db
PAGE = "/account/api/"
KEY = re.compile(r"smm_\w{8}_\w{32}")


@pytest.fixture(autouse=True)
def _no_calls_yet(settings: object) -> Iterator[None]:
    """Nor any for the next test, whose customer may have the same id."""
    settings.REDIS_URL = ""  # type: ignore[attr-defined]
    calls.start_anew()
    yield
    calls.start_anew()


def _key_on(page: str) -> str:
    [text] = set(KEY.findall(page))
    return str(text)


def test_a_key_is_made_and_shown_once(as_alice: Client, alice: Customer) -> None:
    day = (timezone.now() + timedelta(days=3)).date()
    typed = {"name": "Shop", "expires": day.isoformat(), "addresses": "203.0.113.7\n198.51.100.0/24"}
    answer = as_alice.post(f"{PAGE}keys/", typed)
    text = _key_on(answer.content.decode())
    opened = open_with(text, address="198.51.100.9")
    assert opened is not None
    assert opened.customer == alice
    assert (opened.key.name, opened.key.addresses) == ("Shop", ["203.0.113.7/32", "198.51.100.0/24"])
    assert opened.key.expires_at is not None
    assert opened.key.expires_at.date() == day + timedelta(days=1)  # the last day is a whole one
    page = as_alice.get(PAGE).content.decode()
    assert text not in page
    assert opened.key.prefix in page
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_last_day_of_a_key_is_that_of_its_owner(as_alice: Client, alice: Customer) -> None:
    """In Honolulu it is the day before for ten hours of each day in London, and ends there when it ends here."""
    alice.user.time_zone = "Pacific/Honolulu"
    alice.user.save()
    honolulu = ZoneInfo("Pacific/Honolulu")
    today = timezone.now().astimezone(honolulu).date()
    assert f'min="{today}"' in as_alice.get(PAGE).content.decode()
    as_alice.post(f"{PAGE}keys/", {"name": "Shop", "expires": today.isoformat()})
    end = ApiKey.objects.get().expires_at
    assert end is not None
    assert end.astimezone(honolulu) == datetime.combine(today + timedelta(days=1), time.min, tzinfo=honolulu)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"addresses": "office"}, "no address or network"),
        ({"expires": "2020-01-01"}, "The day of expiry is over"),
        ({"expires": "soon"}, "The day of expiry cannot be read"),
        ({"expires": "9999-12-31"}, "The day of expiry cannot be read"),
    ],
)
def test_what_cannot_be_read_comes_back_with_what_was_typed(as_alice: Client, typed: dict[str, str], said: str) -> None:
    answer = as_alice.post(f"{PAGE}keys/", {"name": "Shop", **typed})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert 'value="Shop"' in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_name_may_be_anything(as_alice: Client) -> None:
    as_alice.post(f"{PAGE}keys/", {"name": "\x00<b>" + "x" * 100})
    assert len(ApiKey.objects.get().name) == 60
    assert "<b>" not in as_alice.get(PAGE).content.decode()


def test_too_many_keys_are_refused(as_alice: Client, alice: Customer, settings: object) -> None:
    settings.API_KEYS_PER_CUSTOMER = 1  # type: ignore[attr-defined]
    issue_key(alice)
    assert "Revoke one first" in as_alice.post(f"{PAGE}keys/", {"name": "Second"}).content.decode()


def test_revoking_names_the_key_and_ends_it(as_alice: Client, alice: Customer) -> None:
    key, text = issue_key(alice, "Old script")
    assert "Revoke Old script?" in as_alice.get(f"{PAGE}keys/{key.pk}/revoke/").content.decode()
    assert customer_for_key(text) == alice
    answer = as_alice.post(f"{PAGE}keys/{key.pk}/revoke/", follow=True)
    assert "opens nothing any more" in answer.content.decode()
    assert customer_for_key(text) is None
    assert "Revoke Old script" not in answer.content.decode()


def test_rotating_shows_the_new_key_and_keeps_the_old_for_the_hours_chosen(as_alice: Client, alice: Customer) -> None:
    key, text = issue_key(alice, "Shop")
    answer = as_alice.post(f"{PAGE}keys/{key.pk}/rotate/", {"hours": "24"})
    assert customer_for_key(_key_on(answer.content.decode())) == customer_for_key(text) == alice
    key.refresh_from_db()
    assert key.expires_at is not None
    assert timedelta(hours=23) < key.expires_at - timezone.now() <= timedelta(hours=24)


def test_rotating_without_an_overlap_ends_the_old_key_at_once(as_alice: Client, alice: Customer) -> None:
    key, text = issue_key(alice)
    as_alice.post(f"{PAGE}keys/{key.pk}/rotate/", {"hours": "0"})
    assert customer_for_key(text) is None


@pytest.mark.parametrize("hours", ["", "-1", "999999999", "x"])
def test_hours_that_are_not_offered_rotate_nothing(as_alice: Client, alice: Customer, hours: str) -> None:
    key, _ = issue_key(alice)
    as_alice.post(f"{PAGE}keys/{key.pk}/rotate/", {"hours": hours})
    assert alice.api_keys.count() == 1


@pytest.mark.parametrize("what", ["rotate", "revoke"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_customers_key_does_not_exist(
    client: Client, alice: Customer, charlie: Customer, what: str, method: str
) -> None:
    key, text = issue_key(alice)
    client.force_login(charlie.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = getattr(client, method)(f"{PAGE}keys/{key.pk}/{what}/", {"hours": "0"})
    assert answer.status_code == 404
    assert customer_for_key(text) == alice
    assert key.prefix not in client.get(PAGE).content.decode()


@pytest.mark.parametrize("what", ["rotate", "revoke"])
@pytest.mark.parametrize("key_id", [0, 999, 2**63, 10**30])
def test_a_key_that_does_not_exist(as_alice: Client, what: str, key_id: int) -> None:
    assert as_alice.get(f"{PAGE}keys/{key_id}/{what}/").status_code == 404


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_a_key_that_opens_nothing_any_more_is_gone(as_alice: Client, alice: Customer, what: str) -> None:
    revoked, _ = issue_key(alice)
    revoke_key(revoked, actor=SYSTEM)
    expired, _ = issue_key(alice, expires_at=timezone.now() - timedelta(seconds=1))
    for key in (revoked, expired):
        assert as_alice.get(f"{PAGE}keys/{key.pk}/{what}/").status_code == 404
        assert key.prefix not in as_alice.get(PAGE).content.decode()


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_a_visitor_is_asked_to_sign_in(client: Client, alice: Customer, what: str) -> None:
    key, _ = issue_key(alice)
    assert client.post(f"{PAGE}keys/{key.pk}/{what}/", {"hours": "0"}).status_code == 302
    assert alice.api_keys.filter(revoked_at__isnull=True).count() == 1


def test_the_customer_chooses_what_a_repeated_order_means(as_alice: Client, alice: Customer) -> None:
    answer = as_alice.post(f"{PAGE}repeats/", {"seconds": "120"}, follow=True)
    assert "within 120 seconds is now answered with the first" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.repeat_seconds == 120
    entry = AuditEntry.objects.get(action="set_repeat_seconds")
    assert (entry.before, entry.after) == ({"repeat_seconds": 0}, {"repeat_seconds": 120})
    as_alice.post(f"{PAGE}repeats/", {"seconds": ""})
    alice.refresh_from_db()
    assert alice.repeat_seconds == 0


@pytest.mark.parametrize("seconds", ["-5", "86401", "1e3", "x", "9" * 40])
def test_seconds_that_make_no_sense_change_nothing(as_alice: Client, alice: Customer, seconds: str) -> None:
    answer = as_alice.post(f"{PAGE}repeats/", {"seconds": seconds}, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.repeat_seconds == 0


def test_the_last_calls_are_hers_alone(client: Client, as_alice: Client, alice: Customer, charlie: Customer) -> None:
    keep_call(alice.pk, Logged(1_700_000_000, "smm_Ab12Cd34", "status", "order=<7>", '{"error": "x"}', 3))
    page = as_alice.get(PAGE).content.decode()
    assert "order=&lt;7&gt;" in page
    assert "was refused" in page
    other = Client()
    other.force_login(charlie.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "No requests yet" in other.get(PAGE).content.decode()


def test_the_operator_sees_the_same_calls(client: Client, alice: Customer, bob: object) -> None:
    keep_call(alice.pk, Logged(1_700_000_000, "smm_Ab12Cd34", "balance", "", '{"balance": "1"}', 3))
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]
    page = client.get(f"/admin/accounts/customer/{alice.pk}/change/").content.decode()
    assert "Last API requests" in page
    assert "smm_Ab12Cd34" in page
