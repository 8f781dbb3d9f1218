"""A statement of some days and some kinds: the right lines, found along indexes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.accounts import house_account, open_wallet
from ledger.balances import statement, statement_lines
from ledger.models import COMMON_KINDS, RARE_KINDS, Account, Transfer
from ledger.narrowing import Narrowed, Range, newest_of, range_of
from tests.ledger.builders import charge_of, deposit_of, posted, refund_of, wallet_with

pytestmark = pytest.mark.django_db
Kind = Transfer.Kind
DAY = timedelta(days=1)
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def _a_line_a_day(days: int) -> Account:
    """Of one wallet and others between: a deposit each tenth day, charges and refunds on the others."""
    wallet, other = open_wallet(currency="USD"), open_wallet(currency="USD")
    house = house_account(Account.Kind.SALES, "USD")
    rows = []
    for day in range(days):
        kind = Kind.DEPOSIT if day % 10 == 0 else Kind.REFUND if day % 2 else Kind.CHARGE
        sides = (wallet, house) if kind == Kind.CHARGE else (house, wallet)
        for number, (debit, credit) in enumerate((sides, (house, other))):
            at = BEGIN + day * DAY
            reference = f"{day}:{number}"
            row = Transfer(debit=debit, credit=credit, amount=1, kind=kind, reference=reference, at=at)
            rows.append(row)
    Transfer.objects.bulk_create(rows)
    return wallet


def test_days_and_kinds_leave_the_lines_that_are_of_them() -> None:
    wallet = _a_line_a_day(60)
    every = Transfer.objects.filter(credit=wallet) | Transfer.objects.filter(debit=wallet)
    for since in (None, BEGIN - DAY, BEGIN + 7 * DAY, BEGIN + 59 * DAY, BEGIN + 90 * DAY):
        for until in (None, BEGIN, BEGIN + 8 * DAY, BEGIN + 59 * DAY, BEGIN + 90 * DAY):
            for kinds in ((), (Kind.DEPOSIT,), (Kind.CHARGE, Kind.HOLD), (Kind.REFUND,), (Kind.CHARGE, Kind.DEPOSIT)):
                wanted = every.filter(at__gte=since) if since else every
                wanted = wanted.filter(at__lt=until) if until else wanted
                wanted = wanted.filter(kind__in=kinds) if kinds else wanted
                narrowed = Narrowed(since=since, until=until, kinds=kinds)
                found = [line.id for line in statement_lines(wallet, narrowed)]
                assert found == list(wanted.order_by("-pk").values_list("pk", flat=True)), narrowed


def test_pages_of_it_follow_each_other() -> None:
    wallet = _a_line_a_day(40)
    narrowed = Narrowed(since=BEGIN + 5 * DAY, until=BEGIN + 30 * DAY, kinds=(Kind.CHARGE, Kind.DEPOSIT))
    pages, before_id = [], None
    while page := statement(wallet, before_id=before_id, limit=3, narrowed=narrowed):
        pages += page
        before_id = page[-1].id
    assert pages == list(statement_lines(wallet, narrowed))
    assert len(pages) == 12


def test_of_some_days_each_line_has_its_balance_and_of_some_kinds_none() -> None:
    wallet = wallet_with("10")
    posted(charge_of(wallet, "4"))
    posted(refund_of(wallet, "1"))
    since = Transfer.objects.earliest("pk").at
    lines = statement(wallet, before_id=None, limit=9, narrowed=Narrowed(since=since))
    assert [line.balance_after for line in lines] == [7, 6, 10]
    assert lines == statement(wallet, before_id=None, limit=9)
    (refund,) = statement(wallet, before_id=None, limit=9, narrowed=Narrowed(kinds=(Kind.REFUND,)))
    assert (refund.amount, refund.balance_after) == (Decimal(1), None)


def test_every_movement_of_a_wallet_is_common_or_rare() -> None:
    known = {*RARE_KINDS, *(kind for kinds in COMMON_KINDS.values() for kind in kinds)}
    others = {"capture", "opening", "top_up", "cost", "cost_return"}  # between house and provider accounts
    assert known | others == set(Kind.values)
    assert not known & others


def test_no_transfers_are_an_empty_range() -> None:
    assert range_of(Narrowed(since=BEGIN, until=BEGIN + DAY)) == Range(1, 1)


def test_a_range_is_found_in_a_few_looks_whatever_gaps_the_ids_have() -> None:
    wallet = wallet_with("5")
    (first,) = posted(deposit_of(wallet, "1"))
    far = Transfer(
        id=2**40, debit=house_account(Account.Kind.DEPOSITS, "USD"), credit=wallet, amount=1, kind=Kind.DEPOSIT,
        reference="far", at=first.at + 2 * DAY,
    )  # fmt: skip
    Transfer.objects.bulk_create([far])
    with CaptureQueriesContext(connection) as queries:
        found = range_of(Narrowed(since=first.at + DAY))
    assert first.pk < found.lowest <= far.pk
    assert len(queries) == 1


@pytest.mark.parametrize("kinds", [(), (Kind.DEPOSIT,), (Kind.CHARGE, Kind.HOLD), (Kind.CORRECTION, Kind.REFUND)])
def test_the_lines_are_read_along_indexes(kinds: tuple[Kind, ...]) -> None:
    wallet = _a_line_a_day(20)
    narrowed = Narrowed(since=BEGIN + DAY, until=BEGIN + 9 * DAY, kinds=kinds)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # with few rows it would rather read or sort them all
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        with CaptureQueriesContext(connection) as queries:
            within = range_of(narrowed)
            newest_of(wallet.pk, narrowed, within, before_id=None, limit=50)
        plans = []
        for query in queries.captured_queries:
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query['sql']}")
            plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))
    assert len(plans) == 3
    whole = "Seq Scan on ledger_transfer" if connection.vendor == "postgresql" else "SCAN ledger_transfer"
    assert not [plan for plan in plans if whole in plan], plans
    rare, common = set(kinds) & set(RARE_KINDS), set(kinds) - set(RARE_KINDS)
    assert ("transfer_credit_rare" in plans[2] and "transfer_debit_rare" in plans[2]) == bool(rare), plans[2]
    sides = [side for side, its in COMMON_KINDS.items() if not kinds or common & set(its)]
    for side in sides if connection.vendor == "sqlite" else ():  # PostgreSQL may take the primary key for so few
        assert f"transfer_{side.removesuffix('_id')} " in f"{plans[2]} ".replace("\n", " "), plans[2]
