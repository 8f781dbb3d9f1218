"""The sandbox's sockets: accepts connections, answers requests on them, and fails as it is told to."""

from __future__ import annotations

import contextlib
import itertools
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

from providers.sandbox.control import Control
from providers.sandbox.damage import PAGE, damaged, reply_before, reply_of
from providers.sandbox.dialect import Answer
from providers.sandbox.faults import CONNECT, Fault
from providers.sandbox.plans import fault_in
from providers.sandbox.wire import HTML, POLL_SECONDS, Broken, Reply, Request, Wire, readable

if TYPE_CHECKING:
    from providers.sandbox.server import Sandbox

log = logging.getLogger(__name__)
BACKLOG = 512
STOP_SECONDS = 5.0  # how long threads may take to end
API_PATHS = frozenset({"/api/v2", "/api/v2/"})


class Listener:
    """A thread that accepts, and one for each connection."""

    def __init__(self, sandbox: Sandbox, *, host: str, port: int) -> None:
        self._sandbox = sandbox
        self._control = Control(sandbox)
        self._stopping = threading.Event()
        self._numbers = itertools.count(1)
        self._open: dict[threading.Thread, socket.socket] = {}
        self._socket = socket.create_server((host, port), backlog=BACKLOG)
        self.port = int(self._socket.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, name="sandbox", daemon=True)

    def start(self) -> None:
        self._accepting.start()

    def stop(self) -> None:
        self._stopping.set()
        deadline = time.monotonic() + STOP_SECONDS
        _wake(self._socket)
        if self._accepting.ident is not None:
            self._accepting.join(STOP_SECONDS)
        for thread, sock in self._open.copy().items():
            _wake(sock)
            thread.join(max(0.0, deadline - time.monotonic()))
        self._socket.close()

    @property
    def busy(self) -> bool:
        return bool(self._open) or readable(self._socket, 0)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            if not readable(self._socket, POLL_SECONDS):
                continue
            with contextlib.suppress(OSError):
                sock, _ = self._socket.accept()
                thread = threading.Thread(target=self._serve, args=(sock,), name="sandbox connection", daemon=True)
                self._open[thread] = sock
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.closing(sock):
            try:
                wire = Wire(sock, self._stopping, next(self._numbers))
                if not self._refused_at_once(wire):
                    self._talk(wire)
            except (Broken, OSError) as error:
                log.debug("connection ended: %s", error)
            finally:
                self._open.pop(threading.current_thread(), None)

    def _refused_at_once(self, wire: Wire) -> bool:
        hits = self._sandbox.faults.hit(CONNECT, {})
        if hits:
            facts = {"connection": wire.number, "fault": str(hits[0])}
            self._sandbox.store.note("connection", clock=self._sandbox.clock.now(), **facts)
        return bool(hits)

    def _talk(self, wire: Wire) -> None:
        while not self._stopping.is_set():
            request = wire.read_request(self._sandbox.options.idle_seconds)
            if request is None:
                return
            if request.path in API_PATHS:
                goes_on = self._answer_api(wire, request)
            else:
                wire.reply(self._elsewhere(wire, request), keep_alive=request.keeps_alive)
                goes_on = request.keeps_alive
            if not goes_on:
                return

    def _elsewhere(self, wire: Wire, request: Request) -> Reply:
        reply = self._control.reply(request, peer=wire.peer)
        return reply or Reply(status=404, body=PAGE.encode(), content_type=HTML)

    def _answer_api(self, wire: Wire, request: Request) -> bool:
        """Whether the connection goes on."""
        fields = request.fields() if request.method == "POST" else {}
        if (key := request.key_in_header()) is not None:
            fields.setdefault("key", key)
        hits = self._hits(fields)
        number = self._note(wire, request, fields, hits)
        for delay in (hit for hit in hits if hit.kind == "delay"):
            self._stopping.wait(delay.number(1))
        fault = next((hit for hit in hits if hit.kind != "delay"), None)
        if fault is None:
            wire.reply(reply_of(self._sandbox.answer(fields, request=number)), keep_alive=request.keeps_alive)
            return request.keeps_alive
        answer = self._sandbox.answer(fields, request=number) if fault.makes else None
        return self._fail(wire, request, fault, answer)

    def _hits(self, fields: dict[str, str]) -> list[Fault]:
        """What the rules say, or else a word in the link of an order."""
        action = fields.get("action", "")
        hits = self._sandbox.faults.hit(action, fields)
        if not hits and action == "add":
            kind = fault_in(fields.get("link", ""))
            return [Fault(action=action, kind=kind)] if kind else []
        return hits

    def _note(self, wire: Wire, request: Request, fields: dict[str, str], hits: list[Fault]) -> int:
        shown = {name: value for name, value in fields.items() if name not in {"key", "action"}}
        body = {"body": request.form_without_key()} if fields.get("action") == "add" else {}
        return self._sandbox.store.note(
            "request",
            clock=self._sandbox.clock.now(),
            action=fields.get("action", ""),
            fields=shown,
            connection=wire.number,
            fault=", ".join(str(fault) for fault in hits),
            **body,
        )

    def _fail(self, wire: Wire, request: Request, fault: Fault, answer: Answer | None) -> bool:
        kind = fault.kind
        if kind.startswith("reset_"):
            wire.reset()
            return False
        if kind.startswith("timeout_"):
            wire.hang(fault.number(0) or None)
            return False
        if answer is None or kind.endswith("_after"):
            wire.reply(reply_before(fault, request.path), keep_alive=request.keeps_alive)
            return request.keeps_alive
        reply = damaged(answer, fault, self._earlier)
        if kind == "cut_body":
            wire.reply_half(reply)
        elif kind == "slow_drip":
            wire.drip(reply, fault.number(1))
        else:
            wire.reply(reply, keep_alive=request.keeps_alive)
        return request.keeps_alive and kind not in {"cut_body", "slow_drip", "close_idle"}

    def _earlier(self, name: str, id: int) -> int | None:
        table = {"order": "orders", "refill": "refills"}[name]
        found = self._sandbox.store.value(f"SELECT max(id) FROM {table} WHERE id < ?", (id,))  # noqa: S608
        return None if found is None else int(found)


def _wake(sock: socket.socket) -> None:
    """End whatever wait a thread is in on this socket."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
