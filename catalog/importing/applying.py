"""Writes what an import found, in one transaction and few statements; what did not change is not written.

Imports of one provider wait for each other, and the services are locked while they are compared and written: an
operator's change by hand is either seen or comes after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Model
from django.utils import timezone

from catalog.bulk import update_rows
from catalog.importing.comparing import plan_import
from catalog.importing.plan import Change, ImportPlan, ImportRefused, Movement
from catalog.models import Category, PriceChange, ProviderService, Route, Service
from catalog.notices import tell_of_doubts
from catalog.prices import reprice_provider, store_markup
from catalog.protection import Cause, Doubt
from catalog.searching import folded
from providers.models import Provider
from records.audit import Actor, audit

ROWS_A_STATEMENT = 2000  # a database that takes fewer splits them itself


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What was done: the plan as it was applied, how many prices moved, how many services went off sale."""

    plan: ImportPlan
    repriced: int
    off_sale: int

    def counts(self) -> dict[str, int]:
        return {**self.plan.counts(), "repriced": self.repriced, "off_sale": self.off_sale}


@transaction.atomic
def apply_import(
    plan: ImportPlan,
    *,
    actor: Actor,
    markup: Decimal | None = None,
    publish: bool = False,
    confirmed: Collection[str] = (),
    confirm_losses: bool = False,
) -> ImportResult:
    """Take in what `plan` was made from. Raises ImportRefused, with nothing changed, for an empty or broken answer.

    `markup` is stored as the provider's percentage. New services are visible only with `publish`. The external ids in
    `confirmed` stay or come back on sale although something about them is in doubt; `confirm_losses` accepts that more
    services vanished than an import takes by itself.
    """
    provider = Provider.objects.select_for_update().get(pk=plan.provider.pk)
    new_rule = None
    if markup is not None:  # before the services are locked: `set_markup` locks a rule and then services, too
        new_rule = store_markup({"percent": markup}, provider=provider, actor=actor)
    bought_there = Route.objects.filter(provider_service__provider=provider).values("service_id")
    list(Service.objects.filter(pk__in=bought_there).order_by("pk").select_for_update().values_list("pk"))
    now_planned = plan_import(provider, plan.listings)
    if now_planned.refusal and not (now_planned.confirmable and confirm_losses):
        raise ImportRefused(now_planned.refusal)
    writing = _Writing(provider, now_planned, confirmed=frozenset(confirmed), publish=publish, actor=actor)
    writing.write()
    repriced = 0
    if new_rule or len(now_planned.changes) > len(now_planned.of(Movement.NEW)):  # new ones have their price already
        repriced = reprice_provider(provider, reason=f"Import from {provider.name}", actor=actor).changed
    if not now_planned.empty:
        tell_of_doubts(provider)
    result = ImportResult(plan=now_planned, repriced=repriced, off_sale=writing.off_sale)
    if not now_planned.empty:
        audit(actor=actor, action="import services", target=provider, after=result.counts())
    return result


class _Writing:
    """One import's writes, kind by kind."""

    def __init__(
        self, provider: Provider, plan: ImportPlan, *, confirmed: frozenset[str], publish: bool, actor: Actor
    ) -> None:
        self.provider, self.plan, self.confirmed = provider, plan, confirmed
        self.publish, self.actor = publish, actor
        self.now = timezone.now()
        self.off_sale = 0

    def write(self) -> None:
        if self.plan.empty:
            return
        shelves = self._shelves()
        self._create(self.plan.of(Movement.NEW), shelves)
        known = [*self.plan.of(Movement.CHANGED), *self.plan.of(Movement.BACK), *self.plan.of(Movement.GONE)]
        self._write_snapshots(known)
        self._write_services(known, shelves)

    def _shelves(self) -> Mapping[str, Category]:
        """The categories that services move to or begin in; those not there yet are made, in the provider's order."""
        shelves = dict(self.plan.shelves)
        wanted = dict.fromkeys(change.wanted.shelf for change in self.plan.changes if change.wanted.shelf)
        missing = [name for name in wanted if name not in shelves]
        if missing:
            at = _after(Category)
            made = [
                Category(name=name, search=folded(name), position=at + number) for number, name in enumerate(missing)
            ]
            # somebody may have made one of them just now: both mean the same category
            Category.objects.bulk_create(made, batch_size=ROWS_A_STATEMENT, ignore_conflicts=True)
            shelves |= {category.name: category for category in Category.objects.all() if category.name in wanted}
        return shelves

    def _create(self, changes: Sequence[Change], shelves: Mapping[str, Category]) -> None:
        if not changes:
            return
        rows, services, at = [], [], _after(Service)
        for number, change in enumerate(changes):
            rows.append(
                ProviderService(
                    provider=self.provider, external_id=change.external_id, seen_at=self.now, **change.wanted.snapshot
                )
            )
            service, _ = change.wanted.services[0]
            service.category = shelves[change.wanted.shelf]
            service.position, service.visible, service.created_at = at + number, self.publish, self.now
            service.search = folded(service.name)
            if change.doubts and change.external_id not in self.confirmed:
                service.off_sale_cause, service.off_sale_reason = _as_stored(change.doubts)
                self.off_sale += 1
            services.append(service)
        ProviderService.objects.bulk_create(rows, batch_size=ROWS_A_STATEMENT)
        Service.objects.bulk_create(services, batch_size=ROWS_A_STATEMENT)
        Route.objects.bulk_create(
            [Route(service=service, provider_service=row) for service, row in zip(services, rows, strict=True)],
            batch_size=ROWS_A_STATEMENT,
        )
        PriceChange.objects.bulk_create(
            [self._first_price(service) for service in services if service.rate], batch_size=ROWS_A_STATEMENT
        )

    def _first_price(self, service: Service) -> PriceChange:
        reason = f"Import from {self.provider.name}"
        return PriceChange(service=service, after=service.rate, reason=reason, by=self.actor.name[:254], at=self.now)

    def _write_snapshots(self, changes: Iterable[Change]) -> None:
        rows, fields = [], set[str]()
        for change in changes:
            row = change.row
            assert row is not None
            values = {**change.wanted.snapshot, **_presence(change.movement, self.now)}
            if values:
                values["seen_at"] = self.now
                _set(row, values)
                rows.append(row)
                fields |= values.keys()
        update_rows(rows, fields)

    def _write_services(self, changes: Iterable[Change], shelves: Mapping[str, Category]) -> None:
        rows, fields = [], set[str]()
        for change in changes:
            for service, values in change.wanted.services:
                values = {**values, **self._sale_of(service, change)}
                if "category" in values:
                    values["category"] = shelves[change.wanted.shelf]
                if "name" in values:
                    values["search"] = folded(str(values["name"]))
                if values:
                    _set(service, values)
                    rows.append(service)
                    fields |= values.keys()
        update_rows(rows, fields)

    def _sale_of(self, service: Service, change: Change) -> dict[str, object]:
        """On sale or not, as this change leaves it; what the operator took off by hand is left as it is."""
        if service.off_sale_cause == Cause.OPERATOR:
            return {}
        if change.external_id in self.confirmed and change.movement is not Movement.GONE:
            return {"off_sale_cause": "", "off_sale_reason": ""} if service.off_sale_cause else {}
        if not change.doubts:
            return {}
        if not service.off_sale_cause:
            self.off_sale += 1
        cause, reason = _as_stored(change.doubts)
        return {"off_sale_cause": cause, "off_sale_reason": reason}


def _presence(movement: Movement, now: datetime) -> dict[str, object]:
    if movement is Movement.GONE:
        return {"gone_at": now}
    return {"gone_at": None} if movement is Movement.BACK else {}


def _as_stored(doubts: Sequence[Doubt]) -> tuple[str, str]:
    return doubts[0].cause.value, " ".join(doubt.reason for doubt in doubts)[:300]


def _after(model: type[Category] | type[Service]) -> int:
    last: int | None = model.objects.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _set(row: Model, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


