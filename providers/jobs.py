"""What runs by itself for providers: probing the paused ones and asking balances, each provider apart from the
others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from providers import books, queue
from providers.models import Provider
from providers.upstream import Upstream, UpstreamTrouble
from records.attention import close_attention, raise_attention
from records.jobs import Job, Turn, register


def register_jobs() -> None:
    register(
        Job(
            name="probe_providers",
            run=probe_provider,
            every=timedelta(minutes=1),
            scopes=queue.paused_scopes,
            lease=timedelta(minutes=5),
            summary="Ask paused providers whether they work again.",
        )
    )
    register(
        Job(
            name="provider_balances",
            run=ask_balance,
            every=timedelta(minutes=10),
            scopes=active_scopes,
            lease=timedelta(minutes=5),
            summary="Ask each provider's balance and compare it with the books.",
        )
    )


def active_scopes() -> Iterable[str]:
    return [str(pk) for pk in Provider.objects.filter(active=True).order_by("pk").values_list("pk", flat=True)]


def probe_provider(turn: Turn) -> Mapping[str, int]:
    """The scope is the provider's id; without one every paused provider is asked."""
    counts = {"asked": 0, "trials": 0}
    for scope in [turn.scope] if turn.scope else list(queue.paused_scopes()):
        if turn.should_stop():
            break
        provider = Provider.objects.filter(pk=int(scope)).first()
        if provider is not None:
            counts["asked"] += 1
            counts["trials"] += queue.probe(provider)
    return counts


def ask_balance(turn: Turn) -> Mapping[str, int]:
    """The scope is the provider's id; without one every active provider is asked."""
    counts = {"asked": 0, "failed": 0}
    for scope in [turn.scope] if turn.scope else list(active_scopes()):
        if turn.should_stop():
            break
        provider = Provider.objects.filter(pk=int(scope), active=True).first()
        if provider is not None:
            counts["asked"] += 1
            counts["failed"] += not _ask(provider)
    return counts


def _ask(provider: Provider) -> bool:
    """Whether the balance was kept. A provider that does not answer is not news here: its orders or its pause say it.
    """
    key = f"provider:{provider.pk}:currency"
    try:
        books.compare(provider, Upstream(provider).balance())
    except UpstreamTrouble:
        return False
    except books.CurrencyMismatch as error:
        raise_attention(cause="provider_currency", key=key, summary=str(error), provider_id=provider.pk)
        return False
    close_attention(key=key, decision="The provider answers in its own currency again.")
    return True
