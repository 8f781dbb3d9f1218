"""Whether a package's price is out of line with its category: the sign of a rate that was read by the wrong unit.

Some providers list packages whole, others per 1000 packages; the wrong guess sells at a thousandth of the price, or at
a thousand times. How many units a package holds stands in its name only ("10k likes"), so a package that is found here
is shown to a person before it is sold, and never repriced. Pure: the provider's list in, sentences out; every price in
its own currency.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from django.conf import settings

from catalog.searching import folded
from catalog.service_types import Charged, service_type
from ledger.amounts import PER
from providers.outcomes import ServiceListing

FEWEST = 3  # comparables, below which a category has no usual price
LONGEST_NAME = 500

_TIMES = {
    "k": 1000, "к": 1000, "тыс": 1000, "thousand": 1000,
    "m": 10**6, "м": 10**6, "mln": 10**6, "млн": 10**6, "million": 10**6,
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w.,/])"
    r"(?P<number>\d{1,3}(?:[ .,']\d{3})+(?![.,]?\d)|\d{1,12}(?:[.,]\d{1,2})?(?![.,]?\d))"
    r"(?: ?(?P<long>тыс|thousand|mln|млн|million)\w*|(?P<short>[kmкм])(?!\w)| (?P<apart>[kк])(?!\w)|x?(?!\w))"
)
_TIME = r"(?:days?|d|hours?|hrs?|h|min\w*|weeks?|months?|mo|years?|y|дн\w*|день|сут\w*|час\w*|мес\w*|лет|год\w*)\b"
_NO_AMOUNT_AFTER = re.compile(rf" ?(?:%|[-–] ?\d|-?{_TIME}|(?:/|per |a |в ){_TIME}|/ ?\d|-?(?:refill|guarant|гарант))")
_NO_AMOUNT_BEFORE = re.compile(
    r"(?:(?:refill|guarant|warrant|гарант)\w*|♻\ufe0f?|\btop|\bтоп|#|№|\d[kmкм]? ?[-–])[ :(]{0,3}$"
)


def units_named(name: str) -> int | None:
    """How many units the name promises: the largest amount in it; None where it names none."""
    text = folded(name[:LONGEST_NAME])
    return max(_amounts(text), default=None)


def _amounts(text: str) -> Iterator[int]:
    for found in _NUMBER.finditer(text):
        before, after = text[: found.start()][-20:], text[found.end() :]
        if _NO_AMOUNT_AFTER.match(after) or _NO_AMOUNT_BEFORE.search(before):
            continue
        amount = _value(found["number"]) * _TIMES.get(found["short"] or found["long"] or found["apart"] or "", 1)
        if amount.denominator == 1 and 1 <= amount <= settings.MAX_QUANTITY:
            yield int(amount)


def _value(number: str) -> Fraction:
    """1 000, 1,000 and 1.000 are a thousand; 1.5 and 1,5 are one and a half."""
    groups = re.split(r"[ .,']", number)
    if len(groups) > 1 and all(len(group) == 3 for group in groups[1:]):
        return Fraction("".join(groups))
    return Fraction(number.replace(",", "."))


def package_doubts(listings: Iterable[ServiceListing], *, per_thousand: bool) -> dict[str, str]:
    """By external id a sentence on each package that is out of line; `per_thousand`: the provider's setting."""
    known = [(listing, kind.charged) for listing in listings if (kind := service_type(listing.type)) is not None]
    priced = [(listing, charged) for listing, charged in known if 0 < listing.rate <= settings.MAX_RATE]
    packages = [_Package.of(listing, per_thousand) for listing, charged in priced if charged is Charged.PACKAGE]
    units, whole = _prices_by_category(packages), defaultdict(list)
    for listing, charged in priced:
        if charged is not Charged.PACKAGE:
            units[listing.category].append(Fraction(listing.rate) / PER)
    for package in packages:
        whole[package.category].append(package.price)
    for prices in (*units.values(), *whole.values()):
        prices.sort()
    doubts = {}
    for package in packages:
        comparables = whole if package.units is None else units
        usual = _median_without(comparables[package.category], package.compared)
        if usual is not None and _out_of_line(package.compared, usual):
            doubts[package.external_id] = _sentence(package, usual, per_thousand=per_thousand)
    return doubts


@dataclass(frozen=True, slots=True)
class _Package:
    external_id: str
    category: str
    price: Fraction  # of the whole package
    units: int | None  # as its name says

    @classmethod
    def of(cls, listing: ServiceListing, per_thousand: bool) -> _Package:
        price = Fraction(listing.rate) / (PER if per_thousand else 1)
        return cls(listing.external_id, listing.category, price, units_named(listing.name))

    @property
    def compared(self) -> Fraction:
        """A unit's price, or where the name does not say how many the package's own."""
        return self.price if self.units is None else self.price / self.units


def _prices_by_category(packages: Iterable[_Package]) -> defaultdict[str, list[Fraction]]:
    prices = defaultdict(list)
    for package in packages:
        if package.units is not None:
            prices[package.category].append(package.compared)
    return prices


def _median_without(prices: list[Fraction], own: Fraction) -> Fraction | None:
    """The median of sorted prices without `own`, which is one of them; None where too few others are left.

    By position, so that a category of thousands is not copied for each of them.
    """
    others = len(prices) - 1
    if others < FEWEST:
        return None
    at = bisect_left(prices, own)

    def other(place: int) -> Fraction:
        return prices[place if place < at else place + 1]

    return (other((others - 1) // 2) + other(others // 2)) / 2


def _out_of_line(price: Fraction, usual: Fraction) -> bool:
    times = settings.IMPORT_PACKAGE_TIMES
    return bool(price > usual * times or price * times < usual)


def _sentence(package: _Package, usual: Fraction, *, per_thousand: bool) -> str:
    """The setting is to blame only where the other unit would bring the price nearer."""
    own, dear = package.compared, package.compared > usual
    far = f"about {own // usual:,} times" if dear else f"less than a {usual // own:,}th of"
    if package.units is None:
        what = f"This package costs {far} what the other packages of its category do"
    else:
        what = f"A unit of it ({package.units:,} by its name) costs {far} what is usual in its category"
    if dear == per_thousand:
        return f"{what}. Check with the provider what it costs and what it holds."
    looks = "as if it were priced per 1000" if dear else "as if it were priced whole, not per 1000"
    return f"{what}. It looks {looks}: check the provider's setting “package rate unit”."
