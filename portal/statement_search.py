"""What a customer's statement is narrowed to, as its address says it: days, and a kind of movement in his words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger.models import Transfer
from ledger.narrowing import Narrowed
from portal.days import midnight, read_day

Kind = Transfer.Kind
KINDS: Mapping[str, tuple[Promise | str, tuple[Transfer.Kind, ...]]] = {
    "deposits": (_("Deposits"), (Kind.DEPOSIT, Kind.BONUS, Kind.FEE, Kind.REVERSAL)),
    "orders": (_("Orders"), (Kind.CHARGE, Kind.HOLD)),
    "refunds": (_("Refunds"), (Kind.REFUND, Kind.RELEASE)),
    "corrections": (_("Corrections"), (Kind.CORRECTION,)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The filters of one address; what cannot be read is none."""

    since: date | None = None
    until: date | None = None
    kind: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        kind = query.get("kind", "")
        return cls(
            since=read_day(query.get("since", "")),
            until=read_day(query.get("until", "")),
            kind=kind if kind in KINDS else "",
        )

    def __bool__(self) -> bool:
        return bool(self.since or self.until or self.kind)

    @property
    def days(self) -> str:
        """The days alone, for an address that changes the kind; empty or "since=…"."""
        return self._address(since=self.since, until=self.until)

    @property
    def query(self) -> str:
        """All of it, for an address that changes the place."""
        return self._address(kind=self.kind, since=self.since, until=self.until)

    def narrowed(self) -> Narrowed:
        return Narrowed(
            since=None if self.since is None else midnight(self.since),
            until=None if self.until is None else midnight(self.until + timedelta(days=1)),
            kinds=KINDS[self.kind][1] if self.kind else (),
        )

    @staticmethod
    def _address(**filters: date | str | None) -> str:
        query = QueryDict(mutable=True)
        query.update({name: str(value) for name, value in filters.items() if value})
        return query.urlencode()
