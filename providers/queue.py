"""Whether orders go to a provider: open, paused, or one trial order first.

Paused by what happened (no funds, a bad key, unknown outcomes in a row) or by hand. A pause by hand ends by hand;
from the others a probe, asking `balance`, leads to a trial, and a trial that is accepted opens the queue. Every step
is one conditional UPDATE, so that of many workers who see the same thing one makes the change, the audit entry and
the item for the operator.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ledger.amounts import ZERO
from providers.models import Provider
from providers.upstream import Upstream, UpstreamTrouble
from records.attention import close_attention, raise_attention
from records.audit import SYSTEM, Actor, audit

OPEN, PAUSED, TRIAL = Provider.Queue.OPEN, Provider.Queue.PAUSED, Provider.Queue.TRIAL
BY_HAND = "by_hand"
FUNDS = "funds"
UNKNOWNS = "unknowns"
REASON_LENGTH = 300


def pause(
    provider: Provider, *, reason: str, cause: str, needed: Decimal | None = None, actor: Actor = SYSTEM
) -> bool:
    """Send no more orders to this provider. True for the one caller whose call paused it.

    `cause` is a word (`funds`, `bad_key`, …; BY_HAND); `needed`, for funds, what the balance must reach before a trial.
    A pause by hand replaces any other, and no other replaces it.
    """
    stops = Provider.objects.exclude(queue=PAUSED)
    if cause == BY_HAND:
        stops = Provider.objects.exclude(queue=PAUSED, queue_cause=BY_HAND)
    with transaction.atomic():
        moved = _move(provider, stops, to=PAUSED, cause=cause, reason=reason, needs=needed, actor=actor)
        if moved and cause != BY_HAND:
            raise_attention(
                cause="provider_paused",
                key=_key(provider),
                summary=f"{provider.name} is paused: {reason}",
                evidence={"cause": cause, "reason": reason},
                provider_id=provider.pk,
            )
    return moved


def start_trial(provider: Provider, *, reason: str = "the provider answers again", actor: Actor = SYSTEM) -> bool:
    """From paused to one trial order before the rest."""
    return _move(provider, _in(PAUSED), to=TRIAL, cause="", reason=reason, actor=actor)


def trial_passed(provider: Provider) -> bool:
    """The trial order was accepted: open. Nothing for a provider that was not on trial."""
    return _open(provider, _in(TRIAL), why="The trial order was accepted.", actor=SYSTEM)


def reopen(provider: Provider, *, actor: Actor, reason: str = "") -> bool:
    """Open the queue by a person's decision, without a trial."""
    return _open(provider, _in(PAUSED, TRIAL), why=reason or "Opened by hand.", actor=actor)


def probe(provider: Provider) -> bool:
    """Ask a paused provider for its balance, and start a trial where that answers the cause. True when a trial starts.

    A pause for funds wants the balance that was needed, or any at all where that is not known.
    """
    provider.refresh_from_db()
    if provider.queue != PAUSED or provider.queue_cause == BY_HAND or not provider.active:
        return False
    if provider.queue_cause == UNKNOWNS and timezone.now() < provider.queue_changed_at + _rest(provider):
        return False
    try:
        balance = Upstream(provider).balance()
    except UpstreamTrouble:
        return False
    enough = balance.amount > ZERO and balance.amount >= (provider.queue_needs or ZERO)
    if provider.queue_cause == FUNDS and not enough:
        return False
    return start_trial(provider)


def _rest(provider: Provider) -> timedelta:
    """How long a queue stays paused after unclear outcomes: each trial that is lost as well doubles it."""
    lost = max(0, provider.unknowns_in_a_row - settings.PROVIDER_UNKNOWNS_BEFORE_PAUSE)
    return timedelta(minutes=min(2**lost, settings.PROVIDER_LONGEST_REST_MINUTES) if lost else 0)


def count_unknown(provider: Provider) -> bool:
    """One more `add` without a known outcome; too many in a row pause the provider, and on trial one is too many. True
    when this one did.
    """
    Provider.objects.filter(pk=provider.pk).update(unknowns_in_a_row=F("unknowns_in_a_row") + 1)
    provider.refresh_from_db(fields=["unknowns_in_a_row", "queue"])
    on_trial = provider.queue == TRIAL
    if provider.unknowns_in_a_row < settings.PROVIDER_UNKNOWNS_BEFORE_PAUSE and not on_trial:
        return False
    many = f"{provider.unknowns_in_a_row} orders in a row got no clear answer"
    reason = "the trial order got no clear answer" if on_trial else many
    return pause(provider, reason=reason, cause=UNKNOWNS)


def reset_unknowns(provider: Provider) -> None:
    """An `add` had a known outcome: the row of unknowns is broken. An unchanged count is not written."""
    Provider.objects.filter(pk=provider.pk, unknowns_in_a_row__gt=0).update(unknowns_in_a_row=0)
    provider.unknowns_in_a_row = 0


def paused_scopes() -> Iterable[str]:
    """The ids of the providers that a probe may help."""
    paused = Provider.objects.filter(queue=PAUSED, active=True).exclude(queue_cause=BY_HAND)
    return [str(pk) for pk in paused.values_list("pk", flat=True)]


def _open(provider: Provider, allowed: Any, *, why: str, actor: Actor) -> bool:
    with transaction.atomic():
        moved = _move(provider, allowed, to=OPEN, cause="", reason="", why=why, actor=actor)
        if moved:
            close_attention(key=_key(provider), decision=why, actor=actor)
    return moved


def _in(*states: Provider.Queue) -> Any:
    return Provider.objects.filter(queue__in=states)


def _move(
    provider: Provider,
    allowed: Any,
    *,
    to: Provider.Queue,
    cause: str,
    reason: str,
    actor: Actor,
    needs: Decimal | None = None,
    why: str = "",
) -> bool:
    """One step, made by one caller; the given object follows."""
    values = {
        "queue": to,
        "queue_cause": cause,
        "queue_reason": reason[:REASON_LENGTH],
        "queue_needs": needs,
        "queue_changed_at": timezone.now(),
        "unknowns_in_a_row": 0,
    }
    with transaction.atomic():
        locked = Provider.objects.select_for_update().filter(pk=provider.pk)
        before = locked.values_list("queue", flat=True).first()
        if allowed.filter(pk=provider.pk).update(**values) != 1:
            return False
        audit(
            actor=actor,
            action=f"provider.queue_{to.value}",
            target=provider,
            reason=why or reason,
            before={"queue": before},
            after={"queue": to.value, "cause": cause},
        )
    for name, value in values.items():
        setattr(provider, name, value)
    return True


def _key(provider: Provider) -> str:
    return f"provider:{provider.pk}:paused"
