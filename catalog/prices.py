"""Changes of prices: by markup, exchange rate or hand. A real change leaves a `PriceChange`; no change writes nothing.

A service's cost is that of its first live route: the lowest position whose provider is active and still lists it.
Dearer routes further down do not raise the price: an order that only they could take is checked for a loss when sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.bulk import update_rows
from catalog.markup import Rules, price_for
from catalog.models import Category, MarkupRule, PriceChange, ProviderService, Route, Service
from catalog.pricing import PriceOutOfRange, check_rate
from providers.models import ExchangeRate, Provider
from records.attention import raise_attention
from records.audit import Actor, audit

ROWS_A_STATEMENT = 1000


@dataclass(frozen=True, slots=True)
class Repriced:
    """What a repricing did: how many prices moved, and the ids of services no price could be made for."""

    changed: int
    out_of_range: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A price as it would become; `after` is None when it would be out of range."""

    service: Service
    after: Decimal | None


def exchange_rates() -> Mapping[int, Decimal]:
    """The rate in force of every provider that has one, by its id; one to one in the panel's own currency."""
    ours = Provider.objects.filter(currency=settings.PANEL_CURRENCY).values_list("pk", flat=True)
    in_force = ExchangeRate.objects.filter(since__lte=timezone.now()).order_by("provider_id", "since", "id")
    return {**dict.fromkeys(ours, Decimal(1)), **dict(in_force.values_list("provider_id", "rate"))}


def first_live_routes(services: QuerySet[Service]) -> Mapping[int, ProviderService]:
    """Where each service is bought first, by the service's id; those that nobody lists now are absent."""
    live = Route.objects.filter(
        service__in=services.order_by().values("id"),
        provider_service__gone_at__isnull=True,
        provider_service__provider__active=True,
    ).select_related("provider_service__provider")
    found: dict[int, ProviderService] = {}
    for route in live.order_by("service_id", "position"):
        found.setdefault(route.service_id, route.provider_service)
    return found


def new_prices(services: QuerySet[Service], rules: Rules) -> list[NewPrice]:
    """Prices that these rules would change. Those set by hand, and those of services nobody lists, stay."""
    bases, rates = first_live_routes(services), exchange_rates()
    found = []
    for service in services.filter(rate_by_hand=False).order_by("id"):
        basis = bases.get(service.pk)
        if basis is None or basis.provider_id not in rates:
            continue
        rule = rules.rule_for(service=service.pk, provider=basis.provider_id, category=service.category_id)
        try:
            after: Decimal | None = price_for(basis, rates[basis.provider_id], rule)
        except PriceOutOfRange:
            after = None
        if after != service.rate:
            found.append(NewPrice(service, after))
    return found


@transaction.atomic
def reprice(services: QuerySet[Service], *, reason: str, actor: Actor) -> Repriced:
    """Bring prices to what the rules say now. A service for which none can be made keeps its own and is reported."""
    list(services.order_by("id").select_for_update(of=("self",)).values_list("id"))  # no price by hand comes between
    changes = new_prices(services, Rules.stored())
    moved = [(change.service, change.after) for change in changes if change.after is not None]
    _write(moved, reason=reason, actor=actor)
    stuck = [change.service for change in changes if change.after is None]
    _tell_of_stuck([service for service in stuck if service.visible and not service.off_sale_reason], reason)
    return Repriced(len(moved), tuple(service.pk for service in stuck))


def reprice_provider(provider: Provider, *, reason: str, actor: Actor) -> Repriced:
    """After a new exchange rate, or when a provider is switched on or off."""
    bought_there = Route.objects.filter(provider_service__provider=provider).values("service_id")
    return reprice(Service.objects.filter(pk__in=bought_there), reason=reason, actor=actor)


@transaction.atomic
def set_markup(
    *,
    actor: Actor,
    percent: Decimal | None = None,
    fixed: Decimal | None = None,
    rounding: Decimal | None = None,
    floor: Decimal | None = None,
    provider: Provider | None = None,
    category: Category | None = None,
    service: Service | None = None,
    reason: str = "",
) -> Repriced:
    """Make or change the rule of this place (a service; a provider and category; one of them; all) and its prices.

    What is None stays as it is. Audited once; the prices that follow each keep a `PriceChange`.
    """
    given = {"percent": percent, "fixed": fixed, "rounding": rounding, "floor": floor}
    values = {name: value for name, value in given.items() if value is not None}
    rule = store_markup(values, provider=provider, category=category, service=service, actor=actor, reason=reason)
    return Repriced(0) if rule is None else reprice(_under(rule), reason=reason or f"Markup: {rule}", actor=actor)


def store_markup(
    values: Mapping[str, Decimal],
    *,
    actor: Actor,
    provider: Provider | None = None,
    category: Category | None = None,
    service: Service | None = None,
    reason: str = "",
) -> MarkupRule | None:
    """Only the rule, without the prices that follow from it; None when nothing changed. For who prices afterwards."""
    assert service is None or (provider is None and category is None), "a service's rule is for it alone"
    rule = MarkupRule.objects.select_for_update().filter(provider=provider, category=category, service=service).first()
    before = {name: getattr(rule, name) for name in values} if rule else {}
    if rule is not None and before == values:
        return None
    rule = rule or MarkupRule(
        provider=provider, category=category, service=service, percent=settings.DEFAULT_MARKUP_PERCENT
    )
    for name, value in values.items():
        setattr(rule, name, value)
    rule.full_clean()
    rule.save()
    audit(actor=actor, action="set markup", target=rule, reason=reason, before=_told(before), after=_told(values))
    return rule


@transaction.atomic
def remove_markup(rule: MarkupRule, *, actor: Actor, reason: str = "") -> Repriced:
    """Take a rule away; the next less specific one counts from now on."""
    under = list(_under(rule).values_list("pk", flat=True)) if rule.service_id else None
    services = _under(rule) if under is None else Service.objects.filter(pk__in=under)
    values = {name: getattr(rule, name) for name in ("percent", "fixed", "rounding", "floor")}
    audit(actor=actor, action="remove markup", target=rule, reason=reason, before=_told(values))
    rule.delete()
    return reprice(services, reason=reason or f"Markup removed: {rule}", actor=actor)


@transaction.atomic
def set_price_by_hand(service: Service, rate: Decimal, *, actor: Actor, reason: str = "") -> None:
    """Fix a service's price: markup and imports leave it alone from now on. Raises PriceOutOfRange."""
    check_rate(rate)
    locked = Service.objects.select_for_update().get(pk=service.pk)
    before = {"rate": str(locked.rate), "rate_by_hand": locked.rate_by_hand}
    if locked.rate != rate:
        _write([(locked, rate)], reason=reason or "Set by hand", actor=actor)
    Service.objects.filter(pk=service.pk).update(rate_by_hand=True)
    after = {"rate": str(rate), "rate_by_hand": True}
    audit(actor=actor, action="set price by hand", target=service, reason=reason, before=before, after=after)
    service.refresh_from_db(fields=["rate", "rate_by_hand"])


@transaction.atomic
def back_to_markup(service: Service, *, actor: Actor, reason: str = "") -> Repriced:
    """Let markup make the price again."""
    locked = Service.objects.select_for_update().get(pk=service.pk)
    before = {"rate": str(locked.rate), "rate_by_hand": locked.rate_by_hand}
    Service.objects.filter(pk=service.pk).update(rate_by_hand=False)
    done = reprice(Service.objects.filter(pk=service.pk), reason=reason or "Back to markup", actor=actor)
    service.refresh_from_db(fields=["rate", "rate_by_hand"])
    after = {"rate": str(service.rate), "rate_by_hand": False}
    audit(actor=actor, action="back to markup", target=service, reason=reason, before=before, after=after)
    return done


def _write(moved: Iterable[tuple[Service, Decimal]], *, reason: str, actor: Actor) -> None:
    history, rows, now = [], [], timezone.now()
    for service, after in moved:
        history.append(
            PriceChange(
                service=service, before=service.rate, after=after, reason=reason[:300], by=actor.name[:254], at=now
            )
        )
        service.rate = after
        rows.append(service)
    update_rows(rows, ["rate"])
    PriceChange.objects.bulk_create(history, batch_size=ROWS_A_STATEMENT)


def _tell_of_stuck(on_sale: Sequence[Service], reason: str) -> None:
    if on_sale:
        raise_attention(
            cause="price_out_of_range",
            key="catalogue:price_out_of_range",
            summary=f"No price can be made for {len(on_sale)} services: beyond MAX_RATE. Their old prices stay.",
            evidence={"services": [row.pk for row in on_sale[: settings.IMPORT_EVIDENCE_SERVICES]], "why": reason},
        )


def _under(rule: MarkupRule) -> QuerySet[Service]:
    """Services whose price this rule may have a part in."""
    services = Service.objects.all()
    if rule.service_id:
        return services.filter(pk=rule.service_id)
    if rule.category_id:
        services = services.filter(category_id=rule.category_id)
    if rule.provider_id:
        bought_there = Route.objects.filter(provider_service__provider_id=rule.provider_id).values("service_id")
        services = services.filter(pk__in=bought_there)
    return services


def _told(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
