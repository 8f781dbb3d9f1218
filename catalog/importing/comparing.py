"""Compares a provider's list with what we hold, and says what should become of each row. Writes nothing.

Services follow the provider service of their first route (lowest position); where it stands on a later route it is only
a spare, whose changes touch the snapshot alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from django.conf import settings
from django.db.models import Min, Q

from catalog.costs import unit_cost
from catalog.importing.packages import package_doubts
from catalog.importing.plan import Change, FieldChange, ImportPlan, Movement, Wanted
from catalog.importing.wording import shown
from catalog.markup import Rules, margin_percent, price_for
from catalog.models import Category, ProviderService, Route, Service, TextRule
from catalog.prices import exchange_rates
from catalog.pricing import PriceOutOfRange
from catalog.protection import BACK, GONE, Cause, Doubt, Terms, doubts_of_change, doubts_of_terms
from catalog.refills import suggested_refill_days
from catalog.service_types import service_type
from catalog.texts import NAME_LENGTH, SHELF_LENGTH, TextRules, cut, many_lines, one_line
from providers.models import Provider
from providers.outcomes import Listings, ServiceListing

TYPE_LENGTH = 60
SERVICE_TYPE_LENGTH = 40
ID_LENGTH = 64
LARGEST_LIMIT = 2**62  # of the snapshot's columns; what is sold is limited by MAX_QUANTITY
SNAPSHOT_FIELDS = (
    "name", "category", "type", "rate", "min", "max", "refill", "cancel", "dripfeed", "description",
)  # fmt: skip
# Which of a service's fields follow the provider, and the flag that stops each.
FOLLOWED = {
    "name": "name_by_hand", "description": "description_by_hand", "type": "", "min": "limits_by_hand",
    "max": "limits_by_hand", "refill": "refill_by_hand", "refill_days": "refill_by_hand", "cancel": "",
    "dripfeed": "dripfeed_by_hand",
}  # fmt: skip


def plan_import(provider: Provider, listings: Listings, *, markup: Decimal | None = None) -> ImportPlan:
    """What importing this list would do. `markup`: as if the provider's percentage were this one."""
    if not listings.services:
        why = "The provider's list is empty or could not be read. Nothing was changed."
        return ImportPlan(provider=provider, listings=listings, refusal=why, warnings=listings.unreadable)
    exchange_rate = exchange_rates().get(provider.pk)
    if exchange_rate is None:
        why = f"{provider.name} is in {provider.currency} and has no exchange rate: set one first. Nothing was changed."
        return ImportPlan(provider=provider, listings=listings, refusal=why)
    rules = Rules.stored()
    if markup is not None:
        rules = rules.with_provider_percent(provider.pk, markup)
    return _Comparison(provider, listings, rules, exchange_rate).plan()


@dataclass(slots=True)
class _Held:
    """What we hold of the provider: rows by external id, the services that follow each, and which have a spare."""

    rows: dict[str, ProviderService]
    followers: Mapping[int, list[Service]]
    spared: set[int]  # services that another live route can serve

    @classmethod
    def of(cls, provider: Provider) -> _Held:
        rows = {row.external_id: row for row in ProviderService.objects.filter(provider=provider)}
        for row in rows.values():
            row.provider = provider
        theirs = Route.objects.filter(provider_service__provider=provider)
        first = Service.objects.filter(pk__in=theirs.values("service_id")).annotate(first=Min("routes__position"))
        services = {service.pk: service for service in first.select_related("category")}
        followers: dict[int, list[Service]] = defaultdict(list)
        for route in theirs.order_by("service_id"):
            service = services[route.service_id]
            if route.position == service.first:
                followers[route.provider_service_id].append(service)
        others = Route.objects.filter(
            ~Q(provider_service__provider=provider),
            service__in=theirs.values("service_id"),
            provider_service__gone_at__isnull=True,
            provider_service__provider__active=True,
        )
        return cls(rows, followers, set(others.values_list("service_id", flat=True)))


class _Comparison:
    def __init__(self, provider: Provider, listings: Listings, rules: Rules, exchange_rate: Decimal) -> None:
        self.provider = provider
        self.listings = listings
        self.rules = rules
        self.held = _Held.of(provider)
        own_or_for_all = Q(provider=provider) | Q(provider__isnull=True)
        self.texts = TextRules(TextRule.objects.filter(own_or_for_all))
        self.exchange_rate = exchange_rate
        self.categories = {category.name: category for category in Category.objects.all()}
        self.package_doubts: dict[str, str] = {}
        self.warnings = [*listings.unreadable, *self.texts.unusable]
        # where the operator moved a shelf as a whole (renamed its category), new services of that shelf go there too
        self.shelves = {
            row.shelf: service.category
            for row in self.held.rows.values()
            for service in self.held.followers.get(row.pk, ())
            if row.shelf and not service.category_by_hand
        }

    def plan(self) -> ImportPlan:
        listed = self._listed_once()
        per_thousand = self.provider.package_rate_unit == Provider.RateUnit.THOUSAND
        self.package_doubts = package_doubts(listed.values(), per_thousand=per_thousand)
        changes, unchanged = [], 0
        for listing in listed.values():
            change = self._compare(listing)
            if change is None:
                unchanged += 1
            else:
                changes.append(change)
        live = [row for row in self.held.rows.values() if row.gone_at is None]
        still_there = listed.keys() | self.listings.unreadable_ids
        gone = [row for row in live if row.external_id not in still_there]
        changes += [self._gone(row) for row in gone]
        refusal = self._too_many_gone(len(gone), len(live))
        return ImportPlan(
            provider=self.provider, listings=self.listings, changes=changes, unchanged=unchanged,
            warnings=self.warnings, refusal=refusal, confirmable=bool(refusal),
            shelves={**self.categories, **self.shelves},
        )  # fmt: skip

    def _listed_once(self) -> dict[str, ServiceListing]:
        """By id, in the provider's order; the first of two with one id counts."""
        listed: dict[str, ServiceListing] = {}
        for listing in self.listings.services:
            if not 0 < len(listing.external_id) <= ID_LENGTH:
                self.warnings.append(f"A service without a usable id was left out: {listing.name[:80]}")
            elif listing.external_id in listed:
                self.warnings.append(f"Service {listing.external_id} is listed twice: the first one counts.")
            else:
                listed[listing.external_id] = listing
        return listed

    def _too_many_gone(self, gone: int, live: int) -> str:
        if gone <= settings.IMPORT_FEW_GONE or gone <= live * settings.IMPORT_MOST_GONE:
            return ""
        return (
            f"{gone} of {live} services are missing from the provider's list: that looks like a broken answer. "
            "Nothing was changed. Import again, or confirm the losses in the import's preview."
        )

    def _compare(self, listing: ServiceListing) -> Change | None:
        row = self.held.rows.get(listing.external_id)
        now = snapshot_of(listing)
        as_listed = ProviderService(provider=self.provider, external_id=listing.external_id, **now)
        wanted_shelf = self.texts.shelf(listing.category)
        if row is None:
            return self._new(as_listed, now, wanted_shelf)
        followers = self.held.followers.get(row.pk, [])
        upstream = [
            FieldChange(name, shown(getattr(row, name)), shown(value), upstream=True)
            for name, value in now.items()
            if getattr(row, name) != value
        ]
        moved = row.shelf != wanted_shelf
        followed = self._followed(as_listed)
        services, ours = [], []
        for service in followers:
            values = self._values_for(service, followed, wanted_shelf if moved else "")
            services.append((service, values))
            ours += [FieldChange(name, shown(getattr(service, name)), shown(value)) for name, value in values.items()]
        prices = [self._price(as_listed, service) for service in followers]
        ours += [
            FieldChange("price", shown(service.rate), shown(price))
            for service, price in zip(followers, prices, strict=True)
            if price is not None and price != service.rate
        ]
        back = row.gone_at is not None
        if not (upstream or ours or moved or back):
            return None
        doubts = doubts_of_change(_terms(row), _terms(as_listed)) if upstream else []
        if back:
            doubts.insert(0, BACK)
        snapshot: dict[str, object] = {**now, "shelf": wanted_shelf} if upstream or moved else {}
        return replace(
            self._change(Movement.BACK if back else Movement.CHANGED, as_listed, prices[0] if prices else None, doubts),
            fields=(*upstream, *ours),
            price_before=followers[0].rate if followers else None,
            row=row,
            wanted=Wanted(snapshot, tuple(services), wanted_shelf if moved else ""),
        )

    def _new(self, as_listed: ProviderService, now: dict[str, object], shelf: str) -> Change:
        price = self._price(as_listed, None, self.shelves.get(shelf) or self.categories.get(shelf))
        doubts = [*doubts_of_terms(_terms(as_listed)), *self._package_doubt(as_listed)]
        change = self._change(Movement.NEW, as_listed, price, doubts)
        values = self._followed(as_listed)
        service = Service(**values, rate=price or Decimal(0))
        return replace(change, wanted=Wanted({**now, "shelf": shelf}, ((service, values),), shelf))

    def _gone(self, row: ProviderService) -> Change:
        followers = self.held.followers.get(row.pk, [])
        change = self._change(Movement.GONE, row, None, [GONE])
        lost = tuple((service, dict[str, object]()) for service in followers if service.pk not in self.held.spared)
        return replace(change, row=row, wanted=Wanted({}, lost), price_before=followers[0].rate if followers else None)

    def _change(
        self, movement: Movement, row: ProviderService, price: Decimal | None, doubts: Iterable[Doubt]
    ) -> Change:
        cost = unit_cost(row, self.exchange_rate)
        return Change(
            movement=movement, external_id=row.external_id, name=row.name, category=row.category, type=row.type,
            cost=cost, price=price, doubts=tuple(doubts),
            margin=margin_percent(price, cost) if price is not None else None,
            warnings=tuple(self._warnings(row, movement)),
        )  # fmt: skip

    def _package_doubt(self, row: ProviderService) -> Iterable[Doubt]:
        """Of a new package alone: what is sold already, a person has let on sale."""
        if row.external_id in self.package_doubts:
            yield Doubt(Cause.OUT_OF_LINE, self.package_doubts[row.external_id])

    def _warnings(self, row: ProviderService, movement: Movement) -> Iterable[str]:
        if movement is Movement.GONE:
            return
        kind = service_type(row.type)
        if kind is None:
            yield f"The type “{row.type}” is not known here: it is kept and not sold."
        if row.rate == 0:
            yield "The provider lists it without a price."
        if row.rate > settings.MAX_RATE:
            yield "No price can be made for it."
        if row.external_id in self.package_doubts and movement is not Movement.NEW:
            yield self.package_doubts[row.external_id]

    def _price(self, row: ProviderService, service: Service | None, shelf: Category | None = None) -> Decimal | None:
        """What markup makes of it; a price by hand stays. None: out of range."""
        if service is not None and service.rate_by_hand:
            by_hand: Decimal = service.rate
            return by_hand
        category = service.category if service is not None else shelf
        rule = self.rules.rule_for(
            service=service.pk if service is not None else None,
            provider=self.provider.pk,
            category=category.pk if category is not None else None,
        )
        try:
            return price_for(row, self.exchange_rate, rule)
        except PriceOutOfRange:
            return None

    def _values_for(
        self, service: Service, followed: Mapping[str, object], new_shelf: str
    ) -> dict[str, object]:
        """What differs from what the provider lists, but for what was set by hand."""
        values = {
            name: value
            for name, value in followed.items()
            if getattr(service, name) != value and not (FOLLOWED[name] and getattr(service, FOLLOWED[name]))
        }
        if new_shelf and not service.category_by_hand and service.category.name != new_shelf:
            values["category"] = new_shelf
        return values

    def _followed(self, as_listed: ProviderService) -> dict[str, object]:
        kind = service_type(as_listed.type)
        least = min(max(as_listed.min, 1), settings.MAX_QUANTITY)
        return {
            "name": self.texts.name(as_listed.name),
            "description": self.texts.description(as_listed.description),
            "type": kind.key if kind is not None else as_listed.type[:SERVICE_TYPE_LENGTH],
            "min": least,
            "max": max(min(as_listed.max, settings.MAX_QUANTITY), least),
            "refill": as_listed.refill,
            "refill_days": suggested_refill_days(as_listed.name) if as_listed.refill else None,
            "cancel": as_listed.cancel,
            "dripfeed": as_listed.dripfeed,
        }


def snapshot_of(listing: ServiceListing) -> dict[str, object]:
    """The listing as the snapshot's columns hold it: cut to length, without what a database cannot take."""
    values: dict[str, object] = {
        "name": cut(one_line(listing.name), NAME_LENGTH) or f"Service {listing.external_id}",
        "category": cut(one_line(listing.category), SHELF_LENGTH),
        "type": one_line(listing.type)[:TYPE_LENGTH],
        "rate": min(listing.rate, settings.MAX_RATE + 1),
        "min": max(-LARGEST_LIMIT, min(listing.min, LARGEST_LIMIT)),
        "max": max(-LARGEST_LIMIT, min(listing.max, LARGEST_LIMIT)),
        "refill": bool(listing.refill),
        "cancel": bool(listing.cancel),
        "dripfeed": bool(listing.dripfeed),
        "description": many_lines(listing.description),
    }
    assert values.keys() == set(SNAPSHOT_FIELDS)
    return values


def _terms(row: ProviderService) -> Terms:
    return Terms(name=row.name, type=row.type, rate=row.rate, min=row.min, max=row.max, refill=row.refill)
