"""Steering a running sandbox over its own port: faults, clock, orders, balance and the journal.

Only for this machine: a caller that is not on loopback is not answered, and a change needs a JSON body, which a web
page elsewhere cannot send here.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from providers.sandbox.amounts import write_amount
from providers.sandbox.faults import read_fault
from providers.sandbox.wire import TEXT, Reply, Request

if TYPE_CHECKING:
    from providers.sandbox.server import Sandbox

ROOT = "/sandbox"
Body = dict[str, Any]


class Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._verbs: dict[tuple[str, str], Callable[[Body], object]] = {
            ("GET", "/faults"): self._list_faults,
            ("POST", "/faults"): self._change_faults,
            ("GET", "/clock"): self._show_clock,
            ("POST", "/clock"): self._change_clock,
            ("GET", "/journal"): self._show_journal,
            ("POST", "/order"): self._change_order,
            ("POST", "/balance"): self._change_balance,
        }

    def reply(self, request: Request, *, peer: str) -> Reply | None:
        """None for what is not steering."""
        if request.path == "/":
            return Reply(body=f"A sandbox provider. API: {self._sandbox.url}\n".encode(), content_type=TEXT)
        if not request.path.startswith(f"{ROOT}/") or not ipaddress.ip_address(peer).is_loopback:
            return None
        verb = self._verbs.get((request.method, request.path.removeprefix(ROOT)))
        if verb is None:
            return None
        if request.method == "POST" and request.media_type != "application/json":
            return _problem("Send a JSON body with Content-Type: application/json.")
        try:
            body = json.loads(request.body) if request.body else dict(parse_qsl(request.query))
            return Reply(body=json.dumps(verb(dict(body)), ensure_ascii=False).encode())
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            return _problem(f"That cannot be done: {error}")

    def _list_faults(self, body: Body) -> object:
        return [{"fault": str(fault), "fired": fault.fired} for fault in self._sandbox.faults.rules]

    def _change_faults(self, body: Body) -> object:
        """{"faults": ["add=timeout_after x1", …], "clear": true}"""
        rules = [read_fault(text) for text in body.get("faults", [])]
        if body.get("clear"):
            self._sandbox.faults.clear()
        for rule in rules:
            self._sandbox.faults.add_rule(rule)
        return self._list_faults(body)

    def _show_clock(self, body: Body) -> object:
        return {"now": self._sandbox.clock.now(), "speed": self._sandbox.clock.speed}

    def _change_clock(self, body: Body) -> object:
        """{"speed": 10}, {"advance": 60}, {"finish": true}"""
        if "speed" in body:
            self._sandbox.run_at(float(body["speed"]))
        if "advance" in body:
            self._sandbox.advance(float(body["advance"]))
        if body.get("finish"):
            self._sandbox.finish_all()
        return self._show_clock(body)

    def _show_journal(self, body: Body) -> object:
        """?after=120: the entries after that number; without it all."""
        self._sandbox.catch_up()
        return self._sandbox.store.entries(int(body.get("after", 0)))

    def _change_order(self, body: Body) -> object:
        """{"order": 23501, "status": "Partial", "remains": 40}: as Sandbox.set_order."""
        number = body.pop("order")
        order = self._sandbox.set_order(number, **body)
        return {"order": order.id, "status": order.status, "charge": write_amount(order.charge)}

    def _change_balance(self, body: Body) -> object:
        """{"balance": "500"}"""
        self._sandbox.set_balance(str(body["balance"]))
        return {"balance": write_amount(self._sandbox.store.balance())}


def _problem(text: str) -> Reply:
    return Reply(status=400, body=json.dumps({"error": text}, ensure_ascii=False).encode())
