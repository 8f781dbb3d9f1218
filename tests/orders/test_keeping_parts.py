"""What a divided order costs in the end, a line a case, and the properties that hold for every price and part."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.amounts import PER, divide_up
from orders.keeping import BELIEVED_TIMES, NeedsOperator, Sold
from orders.keeping_parts import ABOVE_COST, Kept, Part, Told, keep_drip_feed, keep_subscription, unfinished
from orders.models import Status

COMPLETED, PARTIAL, CANCELED, EXPIRED = Status.COMPLETED, Status.PARTIAL, Status.CANCELED, Status.EXPIRED
SUBSCRIPTION = Sold(rate=400_000, charge=120_000, quantity=300, cost=96_000)  # 3 posts of at most 100
DRIP_FEED = Sold(rate=1_125_000, charge=3_375_000, quantity=3000, cost=2_700_000)  # 3 runs of 1000

MOST_BELIEVED = 2_700_000 * BELIEVED_TIMES


def parts(*charges: int | None, status: Status | None = COMPLETED) -> list[Part]:
    return [Part(status=status, charge=charge) for charge in charges]


def told(
    status: Status,
    made: Sequence[Part] = (),
    *,
    done: int | None = None,
    cost: int | None = None,
    done_unreadable: bool = False,
) -> Told:
    return Told(status=status, done=done, done_unreadable=done_unreadable, cost=cost, parts=made)


@pytest.mark.parametrize(
    ("report", "kept"),
    [
        (told(COMPLETED, parts(32_000, 32_000, 32_000), done=3), Kept(amount=120_000, cost=96_000)),
        (told(COMPLETED, parts(32_000, 16_000, 16_000), done=3), Kept(amount=80_000, cost=64_000)),  # smaller posts
        (told(EXPIRED, parts(32_000), done=1), Kept(amount=40_000, cost=32_000)),
        (told(CANCELED, parts(32_000)), Kept(amount=40_000, cost=32_000)),  # posts are not counted
        (told(CANCELED, parts(32_000), done=1, cost=40_000), Kept(amount=40_000, cost=40_000)),  # its own price is ours
        (told(EXPIRED, done=0), Kept(amount=0, cost=0)),
        (told(EXPIRED, done=0, cost=0), Kept(amount=0, cost=0)),
        (told(EXPIRED, parts(32_000, 32_000), done=2, cost=0), Kept(amount=80_000, cost=64_000)),  # priced by its posts
        (told(EXPIRED, parts(32_000, 32_000), done=2, cost=40_000), Kept(amount=80_000, cost=64_000)),
        (told(COMPLETED, parts(1), done=1), Kept(amount=2, cost=1)),  # rounded up
        (told(COMPLETED, parts(0), done=1), Kept(amount=0, cost=0)),
        (told(COMPLETED, parts(0, status=CANCELED), done=1), Kept(amount=0, cost=0)),
        (told(COMPLETED, [*parts(32_000), *parts(0, status=CANCELED)], done=2), Kept(amount=40_000, cost=32_000)),
        (told(COMPLETED, parts(96_001), done=1), Kept(amount=120_000, cost=96_001, doubt=ABOVE_COST)),
        (told(COMPLETED, parts(32_000), done=1, cost=96_000 * 501), Kept(amount=40_000, cost=32_000)),  # no price
    ],
)
def test_what_is_taken_of_a_hold(report: Told, kept: Kept) -> None:
    assert keep_subscription(SUBSCRIPTION, report) == kept


@pytest.mark.parametrize(
    "report",
    [
        told(COMPLETED),  # neither posts nor orders are told
        told(COMPLETED, done=2),
        told(COMPLETED, parts(32_000), done=2),  # one is missing
        told(COMPLETED, parts(32_000, 32_000), done=1),  # one is too many
        told(EXPIRED, parts(32_000), done=0),
        told(EXPIRED, done=0, cost=96_000),  # no posts, and the whole price stands
        told(EXPIRED, done=0, cost=1),
        told(EXPIRED, done=2, cost=0),
        told(COMPLETED, parts(32_000), done_unreadable=True),
        told(COMPLETED, parts(32_000), done=1, done_unreadable=True),
        told(EXPIRED, done=0, done_unreadable=True),  # a 0 of before
        told(COMPLETED, parts(32_000, None), done=2),  # a price is missing
        told(CANCELED, parts(32_000, status=Status.IN_PROGRESS), done=1),
        told(CANCELED, parts(32_000, status=None), done=1),  # never read
        told(CANCELED, parts(32_000, status=CANCELED), done=1),  # was it given back, or not?
        told(COMPLETED, [*parts(32_000), *parts(32_000, status=CANCELED)], done=2),
        told(COMPLETED, parts(96_000 * BELIEVED_TIMES + 1), done=1),  # a slip of units
        told(COMPLETED, parts(None), done=1, cost=32_000),  # its own price says nothing of what was delivered
    ],
)
def test_what_the_parts_leave_open_is_the_operators(report: Told) -> None:
    with pytest.raises(NeedsOperator):
        keep_subscription(SUBSCRIPTION, report)


@pytest.mark.parametrize("cost", [None, 0])
def test_without_a_booked_cost_no_share_can_be_made(cost: int | None) -> None:
    sold = Sold(rate=400_000, charge=120_000, quantity=300, cost=cost)
    with pytest.raises(NeedsOperator, match="No cost was booked"):
        keep_subscription(sold, told(COMPLETED, parts(0), done=1))


def test_what_was_sold_for_the_least_and_bought_for_nothing_is_a_persons_too() -> None:
    sold = Sold(rate=1, charge=1, quantity=1, cost=0)
    with pytest.raises(NeedsOperator, match="No cost was booked"):
        keep_subscription(sold, told(COMPLETED, parts(0), done=1))


def test_what_costs_nothing_anywhere_ends_without_a_person() -> None:
    free = Sold(rate=0, charge=0, quantity=300, cost=0)
    assert keep_subscription(free, told(COMPLETED, parts(0), done=1)) == Kept(amount=0, cost=0)


@pytest.mark.parametrize(
    ("report", "kept"),
    [
        (told(COMPLETED, done=3), Kept(amount=3_375_000)),  # the books stay as they are
        (told(COMPLETED, parts(900_000), done=3, cost=2_600_000), Kept(amount=3_375_000, cost=2_600_000)),
        (told(COMPLETED, done=3, cost=MOST_BELIEVED), Kept(amount=3_375_000, cost=MOST_BELIEVED)),
        (told(COMPLETED, done=3, cost=MOST_BELIEVED + 1), Kept(amount=3_375_000)),  # a slip of units
        (told(PARTIAL, parts(900_000, 450_000), done=2), Kept(amount=1_687_500, cost=1_350_000)),
        (told(PARTIAL, parts(900_000, None), done=2, cost=900_000), Kept(amount=1_125_000, cost=900_000)),
        (told(PARTIAL, parts(900_000), done=2, cost=1_350_000), Kept(amount=1_687_500, cost=1_350_000)),
        (told(PARTIAL, cost=2_700_000), Kept(amount=3_375_000, cost=2_700_000)),
        (told(CANCELED, done=0), Kept(amount=0, cost=0)),
        (told(CANCELED, done=0, cost=0), Kept(amount=0, cost=0)),
        (told(CANCELED, cost=0), Kept(amount=0, cost=0)),
        (told(COMPLETED, done=3, cost=0), Kept(amount=3_375_000)),  # 0 is no price of what was delivered
        (told(COMPLETED, parts(0, 0, 0), done=3, cost=0), Kept(amount=3_375_000)),
        (told(COMPLETED, parts(900_000, 900_000), done=2, cost=0), Kept(amount=3_375_000, cost=1_800_000)),
        (told(PARTIAL, parts(900_000, 900_000), done=2, cost=0), Kept(amount=2_250_000, cost=1_800_000)),
        (told(CANCELED, parts(900_000, 900_000), done=2, cost=0), Kept(amount=2_250_000, cost=1_800_000)),
        (told(CANCELED, parts(900_000), cost=0), Kept(amount=1_125_000, cost=900_000)),
        (told(CANCELED, parts(900_000), done=1), Kept(amount=1_125_000, cost=900_000)),
        (told(CANCELED, done=1, cost=900_000), Kept(amount=1_125_000, cost=900_000)),
        (told(CANCELED, parts(900_000, status=None), done=1, cost=900_001), Kept(amount=1_125_002, cost=900_001)),
    ],
)
def test_what_stays_paid_of_a_drip_feed(report: Told, kept: Kept) -> None:
    assert keep_drip_feed(DRIP_FEED, report) == kept


@pytest.mark.parametrize(
    "report",
    [
        told(CANCELED),  # how many were run? never a whole refund by guess
        told(CANCELED, done=1),
        told(CANCELED, done=1, cost=2_700_000),  # the old price says nothing
        told(CANCELED, parts(900_000), done=0),
        told(CANCELED, done=0, cost=2_700_000),  # no run, and the whole price stands
        told(CANCELED, done=0, cost=1_350_000),
        told(CANCELED, done=2, cost=0),  # 0 beside runs says nothing
        told(CANCELED, parts(900_000), done=2, cost=0),
        told(CANCELED, parts(900_000, None), done=2, cost=899_999),  # less than one run of it cost
        told(CANCELED, parts(None), cost=0),
        told(PARTIAL, done=2, cost=0),
        told(PARTIAL, cost=0),
        told(CANCELED, cost=0, done_unreadable=True),
        told(CANCELED, done=0, done_unreadable=True),
        told(PARTIAL, parts(900_000), done_unreadable=True),
        told(PARTIAL, done=2),
        told(PARTIAL, cost=2_700_001),
    ],
)
def test_what_a_drip_feed_leaves_open_is_the_operators(report: Told) -> None:
    with pytest.raises(NeedsOperator):
        keep_drip_feed(DRIP_FEED, report)


def test_a_price_that_nothing_was_made_for_is_told() -> None:
    for rule, sold in ((keep_subscription, SUBSCRIPTION), (keep_drip_feed, DRIP_FEED)):
        with pytest.raises(NeedsOperator, match="made nothing for it, but keeps a price"):
            rule(sold, told(CANCELED, done=0, cost=1))


def test_parts_that_were_never_read_have_not_ended() -> None:
    made = [*parts(1), *parts(1, status=Status.IN_PROGRESS), *parts(None, status=None), *parts(1, status=EXPIRED)]
    assert unfinished(made) == 2


rates, charges = st.integers(1, 10**12), st.integers(0, 10**15)


@given(rate=rates, theirs=rates, quantity=st.integers(1, 10**6), made=st.lists(charges, min_size=1, max_size=5))
def test_what_is_taken_is_at_most_what_is_held(rate: int, theirs: int, quantity: int, made: list[int]) -> None:
    sold = Sold(
        rate=rate, charge=divide_up(rate * quantity, PER), quantity=quantity, cost=divide_up(theirs * quantity, PER)
    )
    try:
        kept = keep_subscription(sold, told(COMPLETED, parts(*made), done=len(made)))
    except NeedsOperator:
        assert sold.cost is not None
        assert sum(made) > sold.cost * BELIEVED_TIMES
        return
    assert 0 <= kept.amount <= sold.charge
    released = sold.charge - kept.amount
    assert kept.amount + released == sold.charge
    assert (kept.doubt == "") == (sum(made) <= (sold.cost or 0))


@given(charge=st.integers(1, 10**15), cost=st.integers(1, 10**15), some=charges, more=charges)
def test_more_delivered_is_never_cheaper(charge: int, cost: int, some: int, more: int) -> None:
    sold = Sold(rate=1, charge=charge, quantity=1, cost=cost)
    ceiling = cost * BELIEVED_TIMES
    less, all_of_it = min(some, ceiling), min(some + more, ceiling)
    taken = [keep_subscription(sold, told(COMPLETED, parts(each), done=1)).amount for each in (less, all_of_it)]
    assert taken[0] <= taken[1]
    assert keep_subscription(sold, told(COMPLETED, parts(cost), done=1)).amount == charge
