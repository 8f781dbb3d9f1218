"""A lease: one holder at a time, by the database's clock, whatever machine asks."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db.models import F

from records import leases
from records.models import Lease
from tests.records.races import race

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def _run_out(name: str) -> None:
    Lease.objects.filter(name=name).update(until=F("until") - timedelta(hours=1))


def test_a_free_lease_is_taken_and_a_held_one_is_not() -> None:
    assert leases.take("sync", "anna", MINUTE)
    assert not leases.take("sync", "bob", MINUTE)
    assert not leases.take("sync", "anna", MINUTE)  # nor twice by one: two threads may go by one name
    assert leases.take("other", "bob", MINUTE)


def test_a_released_lease_can_be_taken_at_once() -> None:
    leases.take("sync", "anna", MINUTE)
    assert leases.release("sync", "anna")
    assert leases.take("sync", "bob", MINUTE)


def test_only_the_holder_releases() -> None:
    leases.take("sync", "anna", MINUTE)
    assert not leases.release("sync", "bob")
    assert not leases.release_unless_wanted("sync", "bob")
    assert not leases.take("sync", "bob", MINUTE)


def test_a_dead_holder_loses_it_when_it_runs_out() -> None:
    leases.take("sync", "anna", MINUTE)
    _run_out("sync")
    assert leases.take("sync", "bob", MINUTE)
    assert not leases.release("sync", "anna")
    assert not leases.renew("sync", "anna", MINUTE)


def test_a_renewed_lease_lasts_from_now() -> None:
    leases.take("sync", "anna", MINUTE)
    before = Lease.objects.get().until
    assert leases.renew("sync", "anna", timedelta(hours=1))
    assert Lease.objects.get().until - before > timedelta(minutes=50)
    assert not leases.renew("sync", "bob", MINUTE)


def test_one_that_ran_out_is_not_renewed_although_nobody_took_it() -> None:
    leases.take("sync", "anna", MINUTE)
    _run_out("sync")
    assert not leases.renew("sync", "anna", MINUTE)


def test_it_can_ask_not_to_begin_again_so_soon() -> None:
    leases.take("sync", "anna", MINUTE)
    leases.release("sync", "anna")
    assert not leases.take("sync", "bob", MINUTE, not_started_within=timedelta(seconds=30))
    Lease.objects.update(started_at=F("started_at") - timedelta(seconds=31))
    assert leases.take("sync", "bob", MINUTE, not_started_within=timedelta(seconds=30))


def test_a_wish_keeps_the_holder_from_letting_go() -> None:
    leases.take("sync", "anna", MINUTE)
    assert leases.want("sync")
    assert not leases.release_unless_wanted("sync", "anna")
    assert leases.take_again("sync", "anna", MINUTE)
    assert leases.release_unless_wanted("sync", "anna")


def test_a_free_lease_takes_no_wishes() -> None:
    assert not leases.want("sync")
    leases.take("sync", "anna", MINUTE)
    leases.release("sync", "anna")
    assert not leases.want("sync")


def test_a_new_holder_starts_without_old_wishes() -> None:
    leases.take("sync", "anna", MINUTE)
    leases.want("sync")
    _run_out("sync")
    leases.take("sync", "bob", MINUTE)
    assert leases.release_unless_wanted("sync", "bob")


def _try_to_take(name: str, rival: int) -> bool:
    return leases.take(name, f"rival {rival}", MINUTE)


def _take_without_guard(name: str, rival: int) -> bool:
    """The twin: looks first, then writes. Between the two somebody else looks as well."""
    lease, _ = Lease.objects.get_or_create(name=name)
    if lease.holder:
        return False
    lease.holder = f"rival {rival}"
    lease.save()
    return True


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres")
def test_of_rivals_one_gets_the_lease() -> None:
    for attempt in range(10):
        won = race(8, partial(_try_to_take, f"sync:{attempt}"))
        assert won.count(True) == 1


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres")
def test_the_race_is_real_without_the_condition_two_hold_one_lease() -> None:
    """The twin of the test above, which must see two holders: else that test would prove nothing."""
    most = 0
    for attempt in range(40):
        name = f"twin:{attempt}"
        Lease.objects.create(name=name)
        most = max(most, race(8, partial(_take_without_guard, name)).count(True))
        if most > 1:
            return
    pytest.fail("forty races and never two holders: this machine does not race, the guarded test proves nothing")


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres")
def test_of_rivals_for_a_lease_that_ran_out_one_gets_it() -> None:
    leases.take("sync", "dead", MINUTE)
    for _ in range(10):
        _run_out("sync")
        assert race(8, partial(_try_to_take, "sync")).count(True) == 1
