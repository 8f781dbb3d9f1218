"""Keys, addresses and limits."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.calls import last_calls
from accounts.keys import KeyRefused, issue_key, read_addresses, revoke_key, rotate_key
from accounts.models import ApiKey
from accounts.people import create_operator
from records.audit import actor_of
from tests.api_v2.builders import ADDRESS, Reseller, answer
from tests.orders.builders import LINK, a_service

pytestmark = pytest.mark.django_db
WRONG = {"error": "Invalid API key"}
TOO_MANY = {"error": "Too many requests"}


def of(rita: Reseller) -> ApiKey:
    return rita.customer.api_keys.get()


def test_a_key_is_kept_as_prefix_and_hash_only(rita: Reseller) -> None:
    kept = of(rita)
    assert rita.key.startswith(kept.prefix)
    assert rita.key not in str(vars(kept))


def test_a_revoked_an_expired_and_a_closed_accounts_key_open_nothing(rita: Reseller) -> None:
    key, user = of(rita), rita.customer.user
    key.expires_at = timezone.now() - timedelta(seconds=1)
    key.save()
    assert rita.call("balance") == WRONG
    key.expires_at = None
    key.save()
    user.is_active = False
    user.save()
    assert rita.call("balance") == WRONG
    user.is_active = True
    user.save()
    assert "balance" in rita.call("balance")
    revoke_key(key, actor=actor_of(user))
    assert rita.call("balance") == WRONG


def test_a_key_with_a_list_of_addresses_works_from_these_alone(rita: Reseller, settings: Settings) -> None:
    key = of(rita)
    key.addresses = read_addresses("198.51.100.0/24, 2001:db8::1")
    key.save()
    assert rita.call("balance") == WRONG
    rita.client.defaults["REMOTE_ADDR"] = "198.51.100.7"
    assert "balance" in rita.call("balance")
    rita.client.defaults["REMOTE_ADDR"] = "::ffff:198.51.100.7"
    assert "balance" in rita.call("balance")
    rita.client.defaults["REMOTE_ADDR"] = "203.0.113.9"
    rita.client.defaults["HTTP_X_FORWARDED_FOR"] = "198.51.100.7"  # what anybody can write
    assert rita.call("balance") == WRONG
    settings.TRUSTED_PROXIES = 1
    assert "balance" in rita.call("balance")


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(KeyRefused, match="no address or network"):
        read_addresses("office")


def test_rotating_lets_the_old_key_open_for_the_overlap(rita: Reseller) -> None:
    old = of(rita)
    fresh, text = rotate_key(old, actor=actor_of(rita.customer.user), overlap=timedelta(hours=24))
    assert "balance" in rita.call("balance")
    before, rita.key = rita.key, text
    assert "balance" in rita.call("balance")
    old.refresh_from_db()
    old.expires_at = timezone.now()
    old.save()
    rita.key = before
    assert rita.call("balance") == WRONG
    assert fresh.name == old.name


def test_a_rotated_key_lives_as_long_as_the_old_one_did_and_a_revoked_one_is_not_rotated(rita: Reseller) -> None:
    old = of(rita)
    old.created_at, old.expires_at = timezone.now() - timedelta(days=9), timezone.now() + timedelta(days=1)
    old.save()
    fresh, _ = rotate_key(old, actor=actor_of(rita.customer.user), overlap=timedelta(hours=24))
    assert fresh.expires_at is not None
    assert timedelta(days=9) < fresh.expires_at - timezone.now() <= timedelta(days=10)
    assert revoke_key(fresh, actor=actor_of(rita.customer.user))
    with pytest.raises(KeyRefused, match="was revoked"):
        rotate_key(fresh, actor=actor_of(rita.customer.user), overlap=timedelta(hours=24))
    assert rita.customer.api_keys.count() == 2


def test_one_line_with_many_ipv6_addresses_is_one_guesser(rita: Reseller, settings: Settings) -> None:
    settings.API_BAD_KEY_LIMIT, rita.key = 3, "wrong"
    for number in range(3):
        rita.client.defaults["REMOTE_ADDR"] = f"2001:db8:1:2::{number}"
        assert rita.call("balance") == WRONG
    rita.client.defaults["REMOTE_ADDR"] = "2001:db8:1:2:ffff::9"
    assert rita.call("balance") == TOO_MANY
    rita.client.defaults["REMOTE_ADDR"] = "2001:db8:1:3::1"
    assert rita.call("balance") == WRONG


def test_last_used_is_written_at_most_once_a_minute(rita: Reseller) -> None:
    rita.call("balance")
    first = of(rita).last_used_at
    rita.call("balance")
    assert of(rita).last_used_at == first is not None


def test_reads_and_orders_have_limits_of_their_own(rita: Reseller, settings: Settings) -> None:
    settings.API_RATE_LIMIT, settings.API_ORDER_LIMIT = 3, 2
    service = a_service(None)
    for _ in range(3):
        assert "balance" in rita.call("balance")
    response = rita.raw("balance")
    assert answer(response) == TOO_MANY
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    for _ in range(2):
        assert "order" in rita.call("add", service=service.pk, link=LINK, quantity=100)
    assert rita.call("add", service=service.pk, link=LINK, quantity=100) == TOO_MANY


def test_zero_turns_a_limit_off(rita: Reseller, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 0
    assert all("balance" in rita.call("balance") for _ in range(5))


def test_wrong_keys_are_limited_by_address_and_never_shut_out_a_right_one(rita: Reseller, settings: Settings) -> None:
    settings.API_BAD_KEY_LIMIT = 2
    wrong = {"key": "nonsense", "action": "balance"}
    assert [answer(rita.client.post(ADDRESS, wrong)) for _ in range(3)] == [WRONG, WRONG, TOO_MANY]
    rita.client.defaults["HTTP_X_FORWARDED_FOR"] = "198.51.100.7"  # spoofed: it is not another address by that
    assert answer(rita.client.post(ADDRESS, wrong)) == TOO_MANY
    assert "balance" in rita.call("balance")
    rita.client.defaults["REMOTE_ADDR"] = "198.51.100.8"
    assert answer(rita.client.post(ADDRESS, wrong)) == WRONG


def test_a_second_key_of_the_customer_is_counted_by_itself(rita: Reseller, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 1
    rita.call("balance")
    assert rita.call("balance") == TOO_MANY
    _, rita.key = issue_key(rita.customer, "Another")
    assert "balance" in rita.call("balance")


def test_the_last_calls_are_kept_without_the_key(rita: Reseller) -> None:
    rita.call("balance")
    rita.call("status", order=7)
    newest, before = last_calls(rita.customer)
    assert (newest.action, newest.asked, newest.failed) == ("status", "order=7", True)
    assert (before.action, before.asked, before.failed) == ("balance", "", False)
    assert before.answer == '{"balance": "100.00", "currency": "USD"}'
    assert rita.key not in repr(last_calls(rita.customer))


def test_a_key_in_the_wrong_field_is_not_kept_either(rita: Reseller, client: Client) -> None:
    rita.call(rita.key)
    rita.call("add", service=1, link=f"https://example.com/{rita.key}?a", quantity=100)
    kept = repr(last_calls(rita.customer))
    assert rita.key not in kept
    assert f"link=https://example.com/{rita.key[:12]}_…?a" in kept
    operator = create_operator(email="boss@example.com", password="correct horse battery staple")
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/admin/accounts/customer/{rita.customer.pk}/change/").content.decode()
    assert "_…?a" in page
    assert rita.key not in page


@pytest.mark.parametrize("kind", ["query", "form", "json", "multipart"])
def test_the_customers_page_never_shows_the_key_however_it_came(rita: Reseller, kind: str) -> None:
    fields = {"key": rita.key, "action": "status", "order": "7"}
    form = "application/x-www-form-urlencoded"
    match kind:
        case "query":
            rita.client.post(f"{ADDRESS}?{urlencode(fields)}", fields)
        case "form":
            rita.client.post(ADDRESS, urlencode(fields), content_type=form)
        case "json":
            rita.client.post(ADDRESS, fields, content_type="application/json")
        case _:
            rita.client.post(ADDRESS, fields)
    rita.client.force_login(rita.customer.user)
    page = rita.client.get("/account/api/")
    assert page.status_code == 200
    assert rita.key not in page.content.decode()
    if kind != "query":  # which is refused before anybody is known
        assert [call.asked for call in last_calls(rita.customer)] == ["order=7"]


def test_the_price_list_is_prepared_once_and_named_by_an_etag(rita: Reseller) -> None:
    service = a_service(None)
    first = rita.raw("services")
    etag = first.headers["ETag"]
    assert rita.raw("services", headers={"If-None-Match": etag}).status_code == 304
    packed = rita.raw("services", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    service.rate += 1
    service.save()
    changed = rita.raw("services", headers={"If-None-Match": etag})
    assert answer(changed)[0]["rate"] == "2.125"


def test_the_price_list_follows_whatever_changes_a_service(rita: Reseller) -> None:
    service = a_service(None)
    type(service).objects.filter(pk=service.pk).update(name="Renamed")
    assert answer(rita.raw("services"))[0]["name"] == "Renamed"
    service.category.name = "Elsewhere"
    service.category.save()
    assert answer(rita.raw("services"))[0]["category"] == "Elsewhere"
    type(service).objects.filter(pk=service.pk).update(visible=False)
    assert answer(rita.raw("services")) == []


def test_a_hundred_statuses_take_few_queries(rita: Reseller, django_assert_num_queries: object) -> None:
    service = a_service(None)
    made = [rita.call("add", service=service.pk, link=f"{LINK}{n}", quantity=100)["order"] for n in range(5)]
    with django_assert_num_queries(2):  # type: ignore[operator]
        rita.call("status", orders=",".join(map(str, made)))  # the key, the orders
