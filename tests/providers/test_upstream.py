"""The seven actions against bare sockets: outcomes of `add`, troubles of the rest, and what is sent."""

from __future__ import annotations

import gzip
import json
import logging
import time
import traceback
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from providers.client.sockets import PlainSocket
from providers.models import Provider
from providers.outcomes import (
    Accepted,
    Cause,
    ItemError,
    NotSent,
    OrderWord,
    RefillAnswer,
    RefillWord,
    Rejected,
    StatusReading,
    Unknown,
)
from providers.upstream import Upstream, UpstreamTrouble
from tests.providers.builders import KEY, make_provider
from tests.providers.sockets import Connection, Panel, answering, certificate, fields_of, free_port, speaking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("loopback")]
ORDER = {"service": "7", "link": "https://example.com/ä", "quantity": "100"}


class TestAdd:
    def test_accepted(self) -> None:
        with Panel(answering({"order": 23501})) as panel:
            outcome = Upstream(make_provider(panel.url)).add(ORDER)
        assert isinstance(outcome, Accepted)
        assert outcome.upstream_id == "23501"
        assert fields_of(panel.requests[0]) == {**ORDER, "action": "add", "key": KEY}

    def test_rejected(self) -> None:
        with Panel(answering({"error": "Not enough funds on balance"})) as panel:
            outcome = Upstream(make_provider(panel.url)).add(ORDER)
        assert isinstance(outcome, Rejected)
        assert outcome.refusal.cause is Cause.FUNDS

    def test_not_sent_when_nobody_is_there(self) -> None:
        with free_port() as port:
            outcome = Upstream(make_provider(f"http://127.0.0.1:{port}/")).add(ORDER)
        assert outcome == NotSent("Not sent: the connection was refused.")

    @pytest.mark.parametrize(
        ("status", "headers"),
        [("429 Too Many Requests", {"Retry_After": "7"}), ("521 Down", {}), ("403 No", {"cf_mitigated": "challenge"})],
    )
    def test_not_sent_when_turned_away(self, status: str, headers: dict[str, str]) -> None:
        with Panel(answering(b"<html>", status, **headers)) as panel:
            outcome = Upstream(make_provider(panel.url)).add(ORDER)
        assert isinstance(outcome, NotSent)
        assert outcome.retry_after == (7.0 if headers.get("Retry_After") else None)

    def test_not_sent_when_turned_away_and_the_rest_breaks_off(self) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.send(b"HTTP/1.1 429 Slow\r\nContent-Length: 500\r\n\r\n<html>")

        with Panel(behave) as panel:
            assert isinstance(Upstream(make_provider(panel.url)).add(ORDER), NotSent)

    @pytest.mark.parametrize(
        "behave",
        [
            pytest.param(lambda c: (c.read_request(), c.reset()), id="reset after reading"),
            pytest.param(lambda c: (c.sock.recv(1), c.reset()), id="reset while reading"),
            pytest.param(lambda c: c.read_request(), id="closed without an answer"),
            pytest.param(lambda c: (c.read_request(), c.wait()), id="silence"),
            pytest.param(lambda c: (c.read_request(), c.drip(b"HTTP/1.1 200 OK\r\n" * 99)), id="dripping head"),
            pytest.param(lambda c: (c.read_request(), c.send(b"garbage\r\n\r\n")), id="not HTTP"),
            pytest.param(answering(b"a" * 3_000_000), id="too large"),
            pytest.param(answering(gzip.compress(b" " * 30_000_000), Content_Encoding="gzip"), id="a bomb"),
            pytest.param(answering(b"", "302 Found", Location="/"), id="a redirect"),
            pytest.param(answering(b"oops", "500 Oops"), id="a crash"),
            pytest.param(answering(b'{"order": 12'), id="cut JSON"),
            pytest.param(answering([[[1]]]), id="another shape"),
            pytest.param(answering(b"[" * 100_000), id="deep JSON"),
        ],
    )
    def test_unknown(self, behave: Any) -> None:
        with Panel(behave) as panel:
            provider = make_provider(panel.url, deadline_seconds=1)
            outcome = Upstream(provider).add(ORDER)
        assert isinstance(outcome, Unknown), outcome
        assert len(panel.requests) <= 1

    def test_a_connection_that_was_idle_is_not_used(self, settings: Any) -> None:
        """The panel closes silently after a while; an order on that connection would be unknown."""
        settings.PROVIDER_ADD_MAX_IDLE_SECONDS = 0.1

        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.answer({"balance": "1", "currency": "USD"})
            if connection.read_request():  # a second request on the first connection is swallowed
                connection.reset()

        with Panel(behave) as panel:
            upstream = Upstream(make_provider(panel.url))
            upstream.balance()
            time.sleep(0.2)
            panel.behave = answering({"order": 5})
            assert isinstance(upstream.add(ORDER), Accepted)
        assert panel.connections == 2

    def test_the_mark_fails_and_nothing_is_sent(self) -> None:
        def mark() -> None:
            raise RuntimeError("fenced")

        with Panel(answering({"order": 1})) as panel:
            outcome = Upstream(make_provider(panel.url)).add(ORDER, before_write=mark)
        assert isinstance(outcome, NotSent)
        assert panel.requests == []

    def test_what_cannot_be_encoded_is_not_sent(self) -> None:
        with Panel(answering({"order": 1})) as panel:
            outcome = Upstream(make_provider(panel.url)).add({"link": "\udc80"})
        assert isinstance(outcome, NotSent)
        assert panel.requests == []

    def test_a_private_address_is_not_sent_to(self, settings: Any) -> None:
        settings.PROVIDER_PRIVATE_HOSTS = []
        with Panel(answering({"order": 1})) as panel:
            outcome = Upstream(make_provider(panel.url.replace("http", "https"))).add(ORDER)
        assert isinstance(outcome, NotSent)
        assert "PROVIDER_PRIVATE_HOSTS" in outcome.reason
        assert panel.connections == 0

    def test_tls_that_breaks_after_the_request_is_unknown(self, tmp_path: Path, settings: Any) -> None:
        context, trusted = certificate(tmp_path, "localhost")
        settings.PROVIDER_CA_FILE = str(trusted)

        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.reset()

        with Panel(behave, tls=context) as panel:
            outcome = Upstream(make_provider(panel.url)).add(ORDER)
        assert isinstance(outcome, Unknown)

    def test_a_key_that_cannot_be_decrypted_is_not_sent_as_it_is(self, settings: Any) -> None:
        with Panel(answering({"order": 1})) as panel:
            outcome = Upstream(make_provider(panel.url, key="gAAAAABother")).add(ORDER)
        assert isinstance(outcome, NotSent)
        assert "SECRET_KEY" in outcome.reason
        assert panel.requests == []


class TestHowItIsSent:
    def test_json_with_the_key_in_a_header(self) -> None:
        with Panel(answering({"balance": "1"})) as panel:
            provider = make_provider(panel.url, body_format="json", key_header="X-Api-Key", user_agent="Reseller/2")
            Upstream(provider).balance()
        head, _, body = panel.requests[0].partition(b"\r\n\r\n")
        assert json.loads(body) == {"action": "balance"}
        assert f"X-Api-Key: {KEY}".encode() in head
        assert b"User-Agent: Reseller/2" in head
        assert b"Content-Type: application/json" in head

    def test_fields_cannot_replace_the_action_or_the_key(self) -> None:
        with Panel(answering({"order": 1})) as panel:
            Upstream(make_provider(panel.url)).add({"action": "balance", "key": "mine"})
        assert fields_of(panel.requests[0]) == {"action": "add", "key": KEY}


class TestReads:
    def test_services(self) -> None:
        item = {"service": 1, "name": "Followers", "type": "Default", "category": "First", "rate": "0.90",
                "min": "50", "max": "10000"}  # fmt: skip
        with Panel(answering([item])) as panel:
            listings = Upstream(make_provider(panel.url)).services()
        assert [service.rate for service in listings.services] == [Decimal("0.90")]

    def test_balance(self) -> None:
        with Panel(answering({"balance": "100.84292", "currency": "USD"})) as panel:
            reading = Upstream(make_provider(panel.url)).balance()
        assert (reading.amount, reading.currency) == (Decimal("100.84292"), "USD")

    def test_many_statuses_are_one_request(self) -> None:
        answer = {"1": {"status": "Partial", "remains": "157"}, "10": {"error": "Incorrect order ID", "status": "104"}}
        with Panel(answering(answer)) as panel:
            found = Upstream(make_provider(panel.url)).status(["1", "10", "11"])
        assert fields_of(panel.requests[0])["orders"] == "1,10,11"
        assert isinstance(found["1"], StatusReading)
        assert found["1"].status is OrderWord.PARTIAL
        assert isinstance(found["10"], ItemError)
        assert "11" not in found

    def test_without_multi_status_it_asks_one_by_one(self) -> None:
        with Panel(speaking(lambda fields: {"status": "Completed", "charge": fields["order"]})) as panel:
            found = Upstream(make_provider(panel.url, multi_status=False)).status(["1", "2"])
        assert len(panel.requests) == 2
        assert [reading.charge for reading in found.values() if isinstance(reading, StatusReading)] == [1, 2]

    def test_one_by_one_keeps_what_was_read_before_trouble(self) -> None:
        answers = iter([{"status": "Completed"}, {"error": "Invalid API key"}])
        with Panel(speaking(lambda fields: next(answers))) as panel:
            found = Upstream(make_provider(panel.url, multi_status=False)).status(["1", "2", "3"])
        assert list(found) == ["1"]
        assert len(panel.requests) == 2

    def test_refused(self) -> None:
        with Panel(answering({"error": "Invalid API key"})) as panel, pytest.raises(UpstreamTrouble) as caught:
            Upstream(make_provider(panel.url)).balance()
        assert caught.value.kind == "refused"
        assert caught.value.refusal is not None
        assert caught.value.refusal.cause is Cause.BAD_KEY

    def test_unreadable(self) -> None:
        with Panel(answering(b"<html>welcome")) as panel, pytest.raises(UpstreamTrouble) as caught:
            Upstream(make_provider(panel.url)).balance()
        assert caught.value.kind == "unreadable"

    def test_lost_and_not_asked_again(self) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.reset()

        with Panel(behave) as panel, pytest.raises(UpstreamTrouble) as caught:
            Upstream(make_provider(panel.url)).balance()
        assert caught.value.kind == "lost"
        assert len(panel.requests) == 1

    def test_not_sent_is_tried_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        refused = [ConnectionRefusedError(), ConnectionResetError()]
        connect = PlainSocket.connect

        def fickle(self: PlainSocket, address: Any) -> None:
            if refused:
                raise refused.pop()
            connect(self, address)

        monkeypatch.setattr(PlainSocket, "connect", fickle)
        with Panel(answering({"balance": "1"})) as panel:
            assert Upstream(make_provider(panel.url)).balance().amount == 1
        assert (refused, len(panel.requests)) == ([], 1)

    def test_and_then_given_up(self) -> None:
        with free_port() as port, pytest.raises(UpstreamTrouble) as caught:
            Upstream(make_provider(f"http://127.0.0.1:{port}/")).balance()
        assert (caught.value.kind, caught.value.reason) == ("not_sent", "the connection was refused")


class TestRefills:
    def test_taken(self) -> None:
        with Panel(answering({"refill": "12345", "status": 200, "message": "placed"})) as panel:
            assert Upstream(make_provider(panel.url)).refill("9") == RefillAnswer("9", "12345")
        assert fields_of(panel.requests[0])["order"] == "9"

    def test_refused(self) -> None:
        with Panel(answering({"error": "Order not eligible for refill."})) as panel:
            answer = Upstream(make_provider(panel.url)).refill("9")
        assert answer.refusal is not None
        assert answer.refusal.cause is Cause.NOT_ELIGIBLE

    def test_lost_is_not_repeated(self) -> None:
        def behave(connection: Connection) -> None:
            connection.read_request()
            connection.reset()

        with Panel(behave) as panel, pytest.raises(UpstreamTrouble) as caught:
            Upstream(make_provider(panel.url)).refill("9")
        assert (caught.value.kind, len(panel.requests)) == ("lost", 1)

    def test_statuses_together_where_the_provider_takes_many(self) -> None:
        answer = [{"refill": 1, "status": "Completed"}, {"refill": 3, "status": {"error": "Incorrect refill ID"}}]
        with Panel(answering(answer)) as panel:
            found = Upstream(make_provider(panel.url, multi_refill=True)).refill_status(["1", "3"])
        assert fields_of(panel.requests[0])["refills"] == "1,3"
        assert getattr(found["1"], "status", None) is RefillWord.COMPLETED
        assert isinstance(found["3"], ItemError)

    def test_statuses_one_by_one_by_default(self) -> None:
        with Panel(answering({"status": "Rejected"})) as panel:
            found = Upstream(make_provider(panel.url)).refill_status(["1", "3"])
        assert [fields_of(request)["refill"] for request in panel.requests] == ["1", "3"]
        assert [getattr(reading, "status", None) for reading in found.values()] == [RefillWord.REJECTED] * 2


class TestCancels:
    def test_the_seeds_form(self) -> None:
        with Panel(answering({"status": "success", "message": "added"})) as panel:
            found = Upstream(make_provider(panel.url)).cancel(["1", "2"])
        assert [fields_of(request)["order"] for request in panel.requests] == ["1", "2"]
        assert all(answer.taken for answer in found.values())

    def test_the_other_form_is_tried_once_and_remembered(self) -> None:
        def answer(fields: dict[str, str]) -> Any:
            if "orders" not in fields:
                return {"error": "Incorrect request"}
            return [{"order": int(each), "cancel": 1} for each in fields["orders"].split(",")]

        with Panel(speaking(answer)) as panel:
            provider = make_provider(panel.url)
            found = Upstream(provider).cancel(["1", "2"])
            assert all(each.taken for each in found.values())
            Upstream(Provider.objects.get()).cancel(["3"])
        assert Provider.objects.get().cancel_form == "orders"
        assert [sorted(fields_of(request)) for request in panel.requests] == [
            ["action", "key", "order"],
            ["action", "key", "orders"],
            ["action", "key", "orders"],
        ]

    def test_neither_form_is_known(self) -> None:
        with Panel(answering({"error": "Incorrect request"})) as panel, pytest.raises(UpstreamTrouble) as caught:
            Upstream(make_provider(panel.url)).cancel(["1"])
        assert caught.value.kind == "refused"
        assert Provider.objects.get().cancel_form == "order"
        assert len(panel.requests) == 2

    def test_another_refusal_is_the_answer(self) -> None:
        with Panel(answering({"error": "Cancel is disabled"})) as panel:
            found = Upstream(make_provider(panel.url)).cancel(["1"])
        assert not found["1"].taken
        assert len(panel.requests) == 1


class TestTheKeyStaysSecret:
    """Whatever happens: not in a log, not in an exception or its traceback, not in what is kept."""

    @pytest.mark.parametrize("header", ["", "X-Key"])
    @pytest.mark.parametrize(
        "behave",
        [
            pytest.param(lambda c: (c.read_request(), c.reset()), id="reset"),
            pytest.param(lambda c: (c.read_request(), c.drip(b"HTTP/1.1 200 OK\r\n" * 99)), id="drip"),
            pytest.param(answering({"error": f"Invalid API key {KEY}"}), id="echoed"),
            pytest.param(answering(f"<html>{KEY}".encode(), "500 Oops"), id="echoed in a page"),
            pytest.param(lambda c: c.answer({"error": c.read_request().decode()}), id="request echoed"),
            pytest.param(answering({"error": KEY}, "302 Found", Location=f"http://x.example/?k={KEY}"), id="redirect"),
        ],
    )
    def test_it(self, behave: Any, header: str, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        with Panel(behave) as panel:
            upstream = Upstream(make_provider(panel.url, deadline_seconds=1, key_header=header))
            outcome = upstream.add(ORDER)
            with pytest.raises(UpstreamTrouble) as caught:
                upstream.balance()
        trouble = caught.value
        shown = [
            repr(outcome), repr(trouble), str(trouble), repr(trouble.__dict__), repr(upstream), repr(upstream._caller),
            "".join(traceback.format_exception(trouble)), caplog.text, *map(repr, _locals(trouble)),
        ]  # fmt: skip
        for text in shown:
            assert KEY not in text
            assert "k3y-thAt" not in text


def _locals(error: BaseException) -> list[object]:
    """What an error page would show: the locals of each frame but the test's own."""
    found: list[object] = []
    each: BaseException | None = error
    while each is not None:
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "/providers/" in frame.f_code.co_filename and "/tests/" not in frame.f_code.co_filename:
                found.append(dict(frame.f_locals))
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return found
