"""The line between the two panels: it passes requests on, and loses, cuts or delays what it is told to."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

#: What can happen to one request; those of DONE reach the panel all the same.
LOST, DONE = ("never_arrives", "bad_gateway"), ("answer_lost", "answer_late", "answer_cut", "answer_replaced")
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Rule:
    """The next `times` requests of this action ("" for any) fare so, after `skip` others."""

    action: str
    kind: str
    times: int
    skip: int


class Wire:
    """A reverse proxy on a free port. `asked` counts the requests by action, `hit` those that a rule met."""

    def __init__(self, to: str, *, late_seconds: float) -> None:
        self._to = urlsplit(to)
        self._late_seconds = late_seconds
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self.asked: Counter[str] = Counter()
        self.hit: Counter[str] = Counter()
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # noqa: N802 - http.server's own name
                wire._pass_on(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing is told."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{self._to.path}"

    def break_next(self, action: str, kind: str, *, times: int = 1, skip: int = 0) -> None:
        assert kind in (*LOST, *DONE), kind
        with self._lock:
            self._rules.append(Rule(action, kind, times, skip))

    def mend(self) -> None:
        with self._lock:
            self._rules.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        fate = self._fate_of(parse_qs(body.decode())["action"][0])
        if fate in LOST:
            status, answer = 502, PAGE
        else:
            status, answer = self._ask(body, handler.headers["Content-Type"])
        if fate in ("never_arrives", "answer_lost"):
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            handler.close_connection = True
            return
        if fate == "answer_late":
            time.sleep(self._late_seconds)
        if fate == "answer_replaced":
            status, answer = 502, PAGE
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        if fate == "answer_cut":
            answer = answer[: len(answer) // 2]
            handler.close_connection = True
        try:
            handler.wfile.write(answer)
        except OSError:  # whoever asked has hung up
            handler.close_connection = True

    def _ask(self, body: bytes, content_type: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._to.hostname or "", self._to.port, timeout=60)
        try:
            connection.request("POST", self._to.path, body, {"Content-Type": content_type})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _fate_of(self, action: str) -> str:
        with self._lock:
            self.asked[action] += 1
            for rule in self._rules:
                if rule.action not in ("", action) or not rule.times:
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                rule.times -= 1
                self.hit[rule.kind] += 1
                return rule.kind
        return ""
