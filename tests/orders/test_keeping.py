"""The settlement table, a line a case, and the properties that hold for every rate, quantity and report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.amounts import PER, divide_up
from orders.keeping import NeedsOperator, Report, Sold, delivered_of, final_cost, keep, keep_without
from orders.models import Status

COMPLETED, PARTIAL, CANCELED = Status.COMPLETED, Status.PARTIAL, Status.CANCELED
FOLLOWERS = Sold(rate=1_125_000, charge=1_125_000, quantity=1000, cost=900_000)
PACKAGE = Sold(rate=400_000, charge=400_000, quantity=None, cost=250_000)
ODD = Sold(rate=333_333, charge=34, quantity=100, cost=30)


@pytest.mark.parametrize(
    ("sold", "report", "kept"),
    [
        (FOLLOWERS, Report(status=COMPLETED), 1_125_000),
        (FOLLOWERS, Report(status=COMPLETED, remains=1000), 1_125_000),  # whatever remains says
        (FOLLOWERS, Report(status=COMPLETED, remains=-5, cost=0), 1_125_000),
        (FOLLOWERS, Report(status=CANCELED), 0),
        (FOLLOWERS, Report(status=CANCELED, cost=0), 0),
        (FOLLOWERS, Report(status=CANCELED, cost=900_000), 0),  # the old price, repeated
        (FOLLOWERS, Report(status=CANCELED, remains=3), 0),
        (FOLLOWERS, Report(status=PARTIAL, remains=700), 337_500),
        (FOLLOWERS, Report(status=PARTIAL, remains=1), 1_123_875),
        (FOLLOWERS, Report(status=PARTIAL, remains=1000), 0),
        (FOLLOWERS, Report(status=PARTIAL, remains=5000), 0),  # above the quantity counts as the quantity
        (ODD, Report(status=PARTIAL, remains=99), 34),  # ⌈333.333⌉ is above the charge: the charge
        (PACKAGE, Report(status=COMPLETED), 400_000),
        (PACKAGE, Report(status=CANCELED), 0),
        (PACKAGE, Report(status=PARTIAL, cost=125_000), 200_000),
        (PACKAGE, Report(status=PARTIAL, cost=0), 0),
        (PACKAGE, Report(status=PARTIAL, cost=250_000), 400_000),
        (PACKAGE, Report(status=PARTIAL, cost=1, remains=5), 2),  # rounded up
    ],
)
def test_what_stays_paid(sold: Sold, report: Report, kept: int) -> None:
    assert keep(sold, report) == kept


@pytest.mark.parametrize(
    ("sold", "report"),
    [
        (FOLLOWERS, Report(status=CANCELED, cost=180_000)),  # the provider kept a part
        (FOLLOWERS, Report(status=CANCELED, cost=1)),
        (FOLLOWERS, Report(status=PARTIAL)),
        (FOLLOWERS, Report(status=PARTIAL, remains=0)),
        (FOLLOWERS, Report(status=PARTIAL, remains=-3)),
        (PACKAGE, Report(status=PARTIAL)),
        (PACKAGE, Report(status=PARTIAL, remains=1)),
        (PACKAGE, Report(status=PARTIAL, cost=250_001)),  # more than it costs
        (Sold(rate=0, charge=0, quantity=None, cost=0), Report(status=PARTIAL, cost=0)),
        (Sold(rate=5, charge=5, quantity=None, cost=None), Report(status=PARTIAL, cost=0)),
    ],
)
def test_what_a_report_leaves_open_is_the_operators(sold: Sold, report: Report) -> None:
    with pytest.raises(NeedsOperator):
        keep(sold, report)


@pytest.mark.parametrize(
    ("report", "cost"),
    [
        (Report(status=COMPLETED), None),  # nothing believable was said: the books stay
        (Report(status=COMPLETED, cost=850_000), 850_000),
        (Report(status=PARTIAL, remains=700, cost=270_000), 270_000),
        (Report(status=CANCELED), 0),
        (Report(status=CANCELED, cost=900_000), 0),
    ],
)
def test_what_the_provider_keeps(report: Report, cost: int | None) -> None:
    assert final_cost(FOLLOWERS, report) == cost


rates, quantities = st.integers(0, 10**15), st.integers(1, 2_147_483_647)


@given(rate=rates, quantity=quantities, remains=st.integers(1, 2**63))
def test_never_more_than_the_charge_and_never_below_zero(rate: int, quantity: int, remains: int) -> None:
    sold = Sold(rate=rate, charge=divide_up(rate * quantity, PER), quantity=quantity, cost=None)
    assert 0 <= keep(sold, Report(status=PARTIAL, remains=remains)) <= sold.charge


@given(rate=rates, quantity=quantities, some=st.integers(1, 2**31), more=st.integers(0, 2**31))
def test_more_delivered_never_costs_less(rate: int, quantity: int, some: int, more: int) -> None:
    sold = Sold(rate=rate, charge=divide_up(rate * quantity, PER), quantity=quantity, cost=None)
    fewer_delivered = keep(sold, Report(status=PARTIAL, remains=some + more))
    assert fewer_delivered <= keep(sold, Report(status=PARTIAL, remains=some))


@given(charge=st.integers(0, 10**15), cost=st.integers(1, 10**15), share=st.integers(0, 10**15))
def test_a_packages_share_is_rounded_up_and_bounded(charge: int, cost: int, share: int) -> None:
    share = min(share, cost)
    kept = keep(Sold(rate=charge, charge=charge, quantity=None, cost=cost), Report(status=PARTIAL, cost=share))
    assert kept * cost >= charge * share
    assert 0 <= kept <= charge


def test_only_an_end_has_a_price() -> None:
    with pytest.raises(AssertionError, match="not an end"):
        keep(FOLLOWERS, Report(status=Status.PROCESSING))


@pytest.mark.parametrize(("cost", "booked"), [(450_000_000, 450_000_000), (450_000_001, None)])
def test_a_price_is_believed_up_to_five_hundred_times_what_was_booked(cost: int, booked: int | None) -> None:
    assert final_cost(FOLLOWERS, Report(status=COMPLETED, cost=cost)) == booked


def test_one_that_is_known_not_to_come_is_one_less_to_pay_for() -> None:
    sold = Sold(rate=1_125_000, charge=3_375_000, quantity=3000, cost=2_700_000)
    assert [keep_without(sold, undelivered) for undelivered in (0, 1, 3000)] == [3_375_000, 3_373_875, 0]


def test_what_has_not_ended_has_delivered_nothing_that_could_be_said() -> None:
    sold = Sold(rate=1_125_000, charge=3_375_000, quantity=3000, cost=2_700_000)
    with pytest.raises(AssertionError, match="is not an end"):
        delivered_of(sold, Report(status=Status.IN_PROGRESS, remains=1000, cost=None))
