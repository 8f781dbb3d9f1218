"""One request over real sockets: what was written, what came, and never longer or larger than allowed."""

from __future__ import annotations

import errno
import gzip
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from providers.client.sessions import ProviderSession, new_session
from providers.client.sockets import PlainSocket
from providers.client.transport import Reply, Request, Trouble, send
from tests.providers.sockets import Connection, Panel, answering, certificate, free_port

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.fixture
def session() -> Iterator[ProviderSession]:
    made = new_session(places=4)
    yield made
    made.close()


def request(url: str, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "url": url,
        "body": b"key=secret&action=balance",
        "headers": {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "test"},
        "deadline_seconds": 1.0,
        "connect_seconds": 0.5,
        "max_body_bytes": 100_000,
        "max_idle_seconds": 30.0,
    }
    return Request(**{**values, **changes})


def trouble(reply: Reply | Trouble) -> Trouble:
    assert isinstance(reply, Trouble), reply
    return reply


def reply(got: Reply | Trouble) -> Reply:
    assert isinstance(got, Reply), got
    return got


class TestWhatWasWritten:
    def test_an_answer_comes_back_whole(self, session: ProviderSession) -> None:
        with Panel(answering({"balance": "1"}, X_Seen="yes")) as panel:
            got = reply(send(session, request(panel.url)))
        assert (got.status, got.body, got.headers["x-seen"]) == (200, b'{"balance": "1"}', "yes")
        assert panel.requests[0].endswith(b"\r\n\r\nkey=secret&action=balance")

    def test_nothing_listens(self, session: ProviderSession) -> None:
        with free_port() as port:
            got = trouble(send(session, request(f"http://127.0.0.1:{port}/")))
        assert (got.written, got.reason) == (False, "the connection was refused")

    def test_reset_before_the_request_is_read(self, session: ProviderSession) -> None:
        """The peer may have read what was written: it counts as written."""

        def behave(connection: Connection) -> None:
            time.sleep(0.05)
            connection.reset()

        with Panel(behave) as panel:
            got = trouble(send(session, request(panel.url)))
        assert got.written

    def test_reset_while_connecting(self, session: ProviderSession, monkeypatch: pytest.MonkeyPatch) -> None:
        def reset(self: PlainSocket, address: object) -> None:
            raise ConnectionResetError(errno.ECONNRESET, "reset")

        monkeypatch.setattr(PlainSocket, "connect", reset)
        got = trouble(send(session, request("http://127.0.0.1:1/")))
        assert (got.written, got.reason) == (False, "the connection broke")

    def test_reset_after_the_request_was_read(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.reset()

        with Panel(behave) as panel:
            got = trouble(send(session, request(panel.url)))
        assert (got.written, got.reason) == (True, "the connection broke")

    def test_no_answer_at_all(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.wait()

        with Panel(behave) as panel:
            began = time.monotonic()
            got = trouble(send(session, request(panel.url, deadline_seconds=0.3)))
        assert got.written
        assert time.monotonic() - began < 1.0

    def test_a_peer_that_reads_nothing_holds_a_large_request_no_longer(self, session: ProviderSession) -> None:
        with Panel(lambda connection: connection.wait()) as panel:
            began = time.monotonic()
            got = trouble(send(session, request(panel.url, body=b"x" * 50_000_000, deadline_seconds=0.4)))
        assert got.written
        assert time.monotonic() - began < 1.5

    def test_the_mark_is_set_right_before_the_first_byte(self, session: ProviderSession) -> None:
        seen: list[tuple[int, int]] = []
        with Panel(answering({})) as panel:

            def mark() -> None:
                time.sleep(0.05)
                seen.append((panel.connections, len(panel.requests)))

            reply(send(session, request(panel.url), before_write=mark))
        assert seen == [(1, 0)]  # once, connected, nothing sent

    def test_a_mark_that_fails_sends_nothing(self, session: ProviderSession) -> None:
        def mark() -> None:
            raise RuntimeError("the row is somebody else's by now")

        with Panel(answering({})) as panel:
            got = trouble(send(session, request(panel.url), before_write=mark))
            time.sleep(0.05)
        assert (got.written, panel.requests) == (False, [])
        assert "stopped before sending" in got.reason

    def test_a_mark_that_takes_the_whole_deadline_sends_nothing(self, session: ProviderSession) -> None:
        with Panel(answering({})) as panel:
            got = trouble(
                send(session, request(panel.url, deadline_seconds=0.1), before_write=lambda: time.sleep(0.15))
            )
            time.sleep(0.05)
        assert (got.written, panel.requests) == (False, [])

    def test_the_mark_is_not_asked_for_when_nobody_answers_the_door(self, session: ProviderSession) -> None:
        asked: list[int] = []
        with free_port() as port:
            send(session, request(f"http://127.0.0.1:{port}/"), before_write=lambda: asked.append(1))
        assert asked == []

    @pytest.mark.parametrize("url", ["http://", "http://[::1", "ftp://127.0.0.1/", "http://127.0.0.1:99999/"])
    def test_an_url_that_is_none(self, session: ProviderSession, url: str) -> None:
        assert not trouble(send(session, request(url))).written

    def test_a_header_that_cannot_be_sent(self, session: ProviderSession) -> None:
        with Panel(answering({})) as panel:
            got = trouble(send(session, request(panel.url, headers={"X-Key": "secret\r\nX-Evil: 1"})))
        assert not got.written
        assert "secret" not in got.reason


class TestDeadline:
    """The total holds against a peer that always sends one more byte in time."""

    def test_dripping_headers(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\n")
            connection.drip(b"X-Slow: " + b"a" * 1000)

        self._check(session, behave)

    def test_dripping_body(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            connection.drip(b"a" * 1000)

        got = self._check(session, behave)
        assert got.status == 200

    def test_dripping_chunks(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.drip(b"1\r\na\r\n" * 500, every=0.02)

        self._check(session, behave)

    def _check(self, session: ProviderSession, behave: Any) -> Trouble:
        with Panel(behave) as panel:
            began = time.monotonic()
            got = trouble(send(session, request(panel.url, deadline_seconds=0.4)))
            assert 0.35 < time.monotonic() - began < 1.0
        assert (got.written, got.reason) == (True, "it did not answer within the deadline")
        return got

    def test_a_name_server_that_is_silent(self, session: ProviderSession, monkeypatch: pytest.MonkeyPatch) -> None:
        def silent(*_: object, **__: object) -> list[object]:
            time.sleep(1.0)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", silent)
        began = time.monotonic()
        got = trouble(send(session, request("https://panel.example/", connect_seconds=0.2)))
        assert time.monotonic() - began < 0.8
        assert not got.written


class TestSize:
    def test_a_declared_length_beyond_the_cap(self, session: ProviderSession) -> None:
        with Panel(answering(b"a" * 300_000)) as panel:
            got = trouble(send(session, request(panel.url)))
        assert (got.written, got.reason) == (True, "the answer is larger than allowed")

    def test_a_gzip_bomb_is_counted_unpacked(self, session: ProviderSession) -> None:
        bomb = gzip.compress(b"0" * 50_000_000)
        assert len(bomb) < 100_000
        with Panel(answering(bomb, Content_Encoding="gzip")) as panel:
            got = trouble(send(session, request(panel.url)))
        assert got.reason == "the answer is larger than allowed"
        assert len(got.body) <= 100_000

    def test_gzip_within_the_cap_is_read(self, session: ProviderSession) -> None:
        with Panel(answering(gzip.compress(b'{"order": 1}'), Content_Encoding="gzip")) as panel:
            assert reply(send(session, request(panel.url))).body == b'{"order": 1}'

    def test_broken_gzip(self, session: ProviderSession) -> None:
        with Panel(answering(b"not gzip at all", Content_Encoding="gzip")) as panel:
            assert trouble(send(session, request(panel.url))).reason == "the answer's compression is broken"

    def test_endless_headers(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.send(b"X-Long: " + b"a" * 60_000 + b"\r\n")

        with Panel(behave) as panel:
            got = trouble(send(session, request(panel.url)))
        assert got.written

    def test_an_endless_chunk_size(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.send(b"1" * 65536)

        with Panel(behave) as panel:
            got = trouble(send(session, request(panel.url)))
        assert (got.written, got.reason) == (True, "the answer is not HTTP, or broke off")

    def test_a_body_that_breaks_off(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"order": 1}')

        with Panel(behave) as panel:
            got = trouble(send(session, request(panel.url)))
        assert (got.written, got.status, got.reason) == (True, 200, "the answer is not HTTP, or broke off")


class TestRedirect:
    def test_it_is_an_answer_and_nothing_is_followed(self, session: ProviderSession) -> None:
        with Panel(answering({})) as elsewhere, Panel(answering(b"", "302 Found", Location=elsewhere.url)) as panel:
            got = reply(send(session, request(panel.url)))
        assert (got.status, elsewhere.connections) == (302, 0)

    def test_its_body_is_under_the_cap(self, session: ProviderSession) -> None:
        with Panel(answering(b"a" * 5_000_000, "301 Moved", Location="/other")) as panel:
            assert trouble(send(session, request(panel.url))).reason == "the answer is larger than allowed"
        assert len(panel.requests) == 1


class TestPool:
    def test_a_connection_is_used_again(self, session: ProviderSession) -> None:
        with Panel(answering({})) as panel:
            for _ in range(3):
                reply(send(session, request(panel.url)))
        assert (panel.connections, len(panel.requests)) == (1, 3)

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        ],
    )
    def test_whatever_the_form_of_the_answer(self, session: ProviderSession, answer: bytes) -> None:
        def behave(connection: Connection) -> None:
            while connection.read_request():
                connection.send(answer)

        with Panel(behave) as panel:
            for _ in range(3):
                reply(send(session, request(panel.url)))
        assert panel.connections == 1

    def test_an_order_takes_none_that_was_idle(self, session: ProviderSession) -> None:
        with Panel(answering({})) as panel:
            reply(send(session, request(panel.url)))
            time.sleep(0.15)
            reply(send(session, request(panel.url, max_idle_seconds=0.1)))
        assert panel.connections == 2

    def test_one_that_the_peer_closed_is_replaced_unasked(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.answer({})

        with Panel(behave) as panel:
            for _ in range(3):
                reply(send(session, request(panel.url)))
                time.sleep(0.05)
        assert panel.connections == 3

    def test_one_that_closes_as_we_write_is_not_asked_twice(self, session: ProviderSession) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.answer({})
            connection.read_request()  # taken, and no answer: the client cannot know

        with Panel(behave) as panel:
            reply(send(session, request(panel.url)))
            got = trouble(send(session, request(panel.url)))
        assert (got.written, len(panel.requests)) == (True, 2)

    def test_what_is_left_of_a_refused_body_is_nobodys_answer(self, session: ProviderSession) -> None:
        with Panel(answering(b"a" * 300_000)) as panel:
            trouble(send(session, request(panel.url)))
            panel.behave = answering({"order": 2})
            assert reply(send(session, request(panel.url))).body == b'{"order": 2}'

    def test_cookies_are_not_kept(self, session: ProviderSession) -> None:
        with Panel(answering({}, Set_Cookie="session=1")) as panel:
            for _ in range(2):
                reply(send(session, request(panel.url)))
        assert b"cookie" not in panel.requests[1].lower()

    def test_the_environment_is_not_asked_for_a_proxy(
        self, session: ProviderSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        with Panel(answering({})) as panel:
            assert reply(send(session, request(panel.url))).status == 200


class TestTLS:
    def test_a_certificate_nobody_vouches_for(self, session: ProviderSession, tmp_path: Path) -> None:
        context, _ = certificate(tmp_path, "localhost")
        with Panel(answering({}), tls=context) as panel:
            got = trouble(send(session, request(panel.url)))
        assert (got.written, got.permanent, panel.requests) == (False, True, [])
        assert got.reason == "its TLS certificate cannot be verified"

    def test_a_certificate_for_another_name(self, tmp_path: Path) -> None:
        context, trusted = certificate(tmp_path, "another.example")
        with override_settings(PROVIDER_CA_FILE=str(trusted)), Panel(answering({}), tls=context) as panel:
            session = new_session(places=1)
            got = trouble(send(session, request(panel.url)))
            session.close()
        assert (got.written, panel.requests) == (False, [])

    def test_a_trusted_one_is_used_and_kept(self, tmp_path: Path) -> None:
        context, trusted = certificate(tmp_path, "localhost")
        with override_settings(PROVIDER_CA_FILE=str(trusted)), Panel(answering({"a": 1}), tls=context) as panel:
            session = new_session(places=1)
            for _ in range(2):
                assert reply(send(session, request(panel.url))).body == b'{"a": 1}'
            session.close()
        assert panel.connections == 1

    def test_a_handshake_is_under_the_deadline_and_not_yet_the_request(self, session: ProviderSession) -> None:
        with Panel(lambda connection: connection.wait()) as panel:
            began = time.monotonic()
            got = trouble(send(session, request(panel.url.replace("http", "https"), connect_seconds=0.3)))
        assert not got.written
        assert time.monotonic() - began < 0.9

    def test_plain_http_on_a_tls_port(self, session: ProviderSession) -> None:
        with Panel(lambda connection: connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as panel:
            assert not trouble(send(session, request(panel.url.replace("http", "https")))).written

    def test_broken_after_the_request_was_read(self, tmp_path: Path) -> None:
        """The exception is an SSLError, as for a handshake; the mark tells the two apart."""
        context, trusted = certificate(tmp_path, "localhost")

        def behave(connection: Connection) -> None:
            connection.read_request()
            raw = socket.socket(fileno=connection.sock.detach())
            raw.sendall(b"\x17\x03\x03\x00\x05rough")
            raw.close()

        with override_settings(PROVIDER_CA_FILE=str(trusted)), Panel(behave, tls=context) as panel:
            session = new_session(places=1)
            got = trouble(send(session, request(panel.url)))
            session.close()
        assert got.written
        assert "TLS" in got.reason

    def test_dripping_inside_tls(self, tmp_path: Path) -> None:
        context, trusted = certificate(tmp_path, "localhost")

        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            connection.drip(b"a" * 1000)

        with override_settings(PROVIDER_CA_FILE=str(trusted)), Panel(behave, tls=context) as panel:
            session = new_session(places=1)
            began = time.monotonic()
            got = trouble(send(session, request(panel.url, deadline_seconds=0.4)))
            session.close()
            assert time.monotonic() - began < 1.0
        assert got.written
