"""The seven actions of API v2, asked of one provider.

`add` answers with one of four outcomes and never raises; the others return what was read or raise UpstreamTrouble.
One call is one request, but where the provider takes one id at a time: which ids go together, and when, is the
caller's business. The readers of the dialect decide what an answer means, the transport knows whether anything was
sent; here the two meet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

import stamina
from django.conf import settings

from providers.client.calls import Call, Caller, KeyUnreadable, Lost
from providers.client.limits import NoPlace
from providers.dialect.adding import read_add
from providers.dialect.answer import Answer, NotProcessed, Refused, Unreadable
from providers.dialect.balances import read_balance
from providers.dialect.listings import read_services
from providers.dialect.statuses import read_statuses
from providers.dialect.wishes import read_cancels, read_refill_statuses, read_refills
from providers.dialect.words import WordMap
from providers.models import Provider
from providers.outcomes import (
    AddOutcome,
    BalanceReading,
    CancelAnswer,
    Cause,
    Evidence,
    ItemError,
    Listings,
    NotSent,
    RefillAnswer,
    RefillStatusReading,
    Refusal,
    StatusReading,
    Unknown,
)

log = logging.getLogger(__name__)
Read = TypeVar("Read")
Kind = Literal["not_sent", "lost", "refused", "unreadable"]


class UpstreamTrouble(Exception):
    """A question got no answer that can be used. `reason` is a sentence for the operator, without the key.

    not_sent: the provider did not look at the request. lost: it may have, and no whole answer came. refused: a
    well-formed "no", in `refusal`. unreadable: an answer that is not of this dialect.
    """

    def __init__(
        self,
        kind: Kind,
        reason: str,
        *,
        refusal: Refusal | None = None,
        evidence: Evidence | None = None,
        retry_after: float | None = None,
        again: bool = False,
    ) -> None:
        super().__init__(reason)
        self.kind: Kind = kind
        self.reason = reason
        self.refusal = refusal
        self.evidence = evidence or Evidence()
        self.retry_after = retry_after
        self.again = again  # the connection failed before anything was sent: worth another attempt at once


class Upstream:
    """A provider to talk to. Cheap to make, thread-safe; settings are those of the row as it was given."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._words = WordMap.read(provider.word_map)
        self._caller = Caller.of(provider)

    def __repr__(self) -> str:
        return f"<Upstream {self.provider.name}>"

    def services(self) -> Listings:
        """The whole catalogue. An empty one is trouble: it means a broken key, never that there are no services."""
        call = Call("services", {}, max_body_bytes=settings.PROVIDER_MAX_SERVICES_BYTES)
        return self._read(call, lambda answer: read_services(answer, self._words))

    def balance(self) -> BalanceReading:
        return self._read(Call("balance", {}), lambda answer: read_balance(answer, self._words))

    def add(self, fields: Mapping[str, str], *, before_write: Callable[[], None] | None = None) -> AddOutcome:
        """Place an order: one request, never repeated. Never raises.

        `before_write` is called once, right before the first byte; when it raises, nothing is sent. After it
        returned, an order whose outcome does not come back (the process dies) is unknown.
        """
        handed_over: list[bool] = []

        def about_to_write() -> None:
            if before_write is not None:
                before_write()
            handed_over.append(True)

        try:
            received = self._caller.call(Call("add", fields, order=True, fresh=True), before_write=about_to_write)
        except NoPlace as full:
            return NotSent(f"Not sent: {full}.", full.retry_after, our_limit=True)
        except KeyUnreadable as error:
            return NotSent(f"Not sent: {error}.")
        except Exception as error:  # noqa: BLE001 - whatever it was, only what was written counts
            log.warning("An order could not be sent to %s: %s", self.provider.name, type(error).__name__)
            if handed_over:
                return Unknown(f"the request broke off ({type(error).__name__})")
            return NotSent(f"Not sent: the request could not be made ({type(error).__name__}).")
        try:
            return self._outcome(received)
        except Exception as error:  # noqa: BLE001 - the request is out: what cannot be read is unknown
            log.error("The answer of %s to an order could not be read: %s", self.provider.name, type(error).__name__)
            return Unknown(f"the answer could not be read ({type(error).__name__})")

    def status(self, ids: Sequence[str]) -> dict[str, StatusReading | ItemError]:
        """What the provider says of these orders; an id that is absent from the answer is absent here.

        At most `multi_status_size` ids, in one request; with multi-status off a request each, and what was read
        before the first trouble is returned. Raises UpstreamTrouble when nothing was read.
        """
        if self.provider.multi_status and len(ids) > 1:
            assert len(ids) <= self.provider.multi_status_size, "more ids than one request takes"
            call = Call("status", {"orders": ",".join(ids)})
            return self._read(call, lambda answer: read_statuses(answer, ids, self._words)).by_id
        return self._one_by_one(ids, self._status_of_one)

    def refill(self, order_id: str) -> RefillAnswer:
        """Ask for a refill: one request, never repeated. `lost` and `unreadable` leave open whether it was taken."""
        call = Call("refill", {"order": order_id}, fresh=True)
        return self._once(call, lambda answer: self._refill_of(order_id, answer))

    def refill_status(self, refill_ids: Sequence[str]) -> dict[str, RefillStatusReading | ItemError]:
        """What became of refills: one request with `refills=` where the provider takes many, else a request each."""
        if self.provider.multi_refill and len(refill_ids) > 1:
            call = Call("refill_status", {"refills": ",".join(refill_ids)})
            return self._read(call, lambda answer: read_refill_statuses(answer, refill_ids, self._words))
        return self._one_by_one(refill_ids, self._refill_status_of_one)

    def cancel(self, order_ids: Sequence[str]) -> dict[str, CancelAnswer]:
        """Ask to cancel, in the form that the provider takes. A form that it calls an incorrect request is tried once
        in the other, and the one that worked is kept on the provider's row.
        """
        form = Provider.CancelForm(self.provider.cancel_form)
        try:
            answers = self._cancel(order_ids, form)
        except UpstreamTrouble as trouble:
            if not _is_incorrect_request(trouble.refusal):
                raise
        else:
            if not (answers and all(_is_incorrect_request(answer.refusal) for answer in answers.values())):
                return answers
        other = Provider.CancelForm.ORDER if form == Provider.CancelForm.ORDERS else Provider.CancelForm.ORDERS
        answers = self._cancel(order_ids, other)
        if any(not _is_incorrect_request(answer.refusal) for answer in answers.values()):
            Provider.objects.filter(pk=self.provider.pk, cancel_form=form).update(cancel_form=other)
            self.provider.cancel_form = other
        return answers

    def _cancel(self, order_ids: Sequence[str], form: Provider.CancelForm) -> dict[str, CancelAnswer]:
        if form == Provider.CancelForm.ORDERS:
            call = Call("cancel", {"orders": ",".join(order_ids)})
            return self._once(call, lambda answer: read_cancels(answer, order_ids, self._words))
        return self._one_by_one(order_ids, self._cancel_one)

    def _cancel_one(self, order_id: str) -> dict[str, CancelAnswer]:
        call = Call("cancel", {"order": order_id})
        return self._once(call, lambda answer: read_cancels(answer, [order_id], self._words))

    def _refill_of(self, order_id: str, answer: Answer) -> RefillAnswer:
        refill = read_refills(answer, [order_id], self._words).get(order_id)
        if refill is None:
            raise Unreadable("an answer about another order")
        return refill

    def _status_of_one(self, order_id: str) -> dict[str, StatusReading | ItemError]:
        call = Call("status", {"order": order_id})
        return self._read(call, lambda answer: read_statuses(answer, [order_id], self._words)).by_id

    def _refill_status_of_one(self, refill_id: str) -> dict[str, RefillStatusReading | ItemError]:
        call = Call("refill_status", {"refill": refill_id})
        return self._read(call, lambda answer: read_refill_statuses(answer, [refill_id], self._words))

    def _one_by_one(self, ids: Sequence[str], ask: Callable[[str], dict[str, Read]]) -> dict[str, Read]:
        found: dict[str, Read] = {}
        for each in ids:
            try:
                found.update(ask(each))
            except UpstreamTrouble:
                if not found:
                    raise
                break
        return found

    def _read(self, call: Call, read: Callable[[Answer], Read]) -> Read:
        """A question that may be asked again: when the connection failed before anything was sent, it is."""
        for attempt in stamina.retry_context(
            on=_is_worth_another,
            attempts=settings.PROVIDER_READ_ATTEMPTS,
            wait_initial=0.2,
            wait_max=2.0,
            wait_jitter=0.2,
        ):
            with attempt:
                return self._once(call, read)
        raise AssertionError("stamina raises the last error")

    def _once(self, call: Call, read: Callable[[Answer], Read]) -> Read:
        try:
            received = self._caller.call(call)
        except NoPlace as full:
            raise UpstreamTrouble("not_sent", str(full), retry_after=full.retry_after) from None
        except KeyUnreadable as error:
            raise UpstreamTrouble("not_sent", str(error)) from None
        if isinstance(received, Lost):
            raise self._trouble(received)
        try:
            return read(received)
        except Refused as no:
            raise UpstreamTrouble("refused", no.refusal.text, refusal=no.refusal, evidence=received.evidence) from None
        except NotProcessed as no:
            raise UpstreamTrouble(
                "not_sent", no.reason, retry_after=no.retry_after, evidence=received.evidence
            ) from None
        except Unreadable as no:
            raise UpstreamTrouble("unreadable", no.reason, evidence=received.evidence) from None

    def _trouble(self, lost: Lost) -> UpstreamTrouble:
        evidence = Evidence() if lost.answer is None else lost.answer.evidence
        if lost.trouble.written:
            return UpstreamTrouble("lost", lost.trouble.reason, evidence=evidence)
        return UpstreamTrouble("not_sent", lost.trouble.reason, evidence=evidence, again=not lost.trouble.permanent)

    def _outcome(self, received: Answer | Lost) -> AddOutcome:
        if isinstance(received, Answer):
            return read_add(received, self._words)
        if not received.trouble.written:
            return NotSent(f"Not sent: {received.trouble.reason}.")
        if received.answer is not None:
            # A head alone can say that the request was turned away (429, a CDN's own codes); a cut body proves no more.
            read = read_add(received.answer, self._words)
            return read if isinstance(read, NotSent) else Unknown(received.trouble.reason, received.answer.evidence)
        return Unknown(received.trouble.reason)


def _is_worth_another(error: Exception) -> bool:
    return isinstance(error, UpstreamTrouble) and error.again


def _is_incorrect_request(refusal: Refusal | None) -> bool:
    return refusal is not None and refusal.cause is Cause.INCORRECT_REQUEST
