"""What was answered outlives the process, however it ended."""

from __future__ import annotations

import json
import sqlite3
import threading
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from providers.sandbox.journal import read_journal
from providers.sandbox.server import Sandbox
from providers.sandbox.store import Unusable
from tests.sandbox.builders import ORDERS, ask, place, status
from tests.sandbox.process import SandboxProcess


def test_account_orders_clock_and_refills_outlive_a_restart(tmp_path: Path) -> None:
    files = {"state": tmp_path / "state.sqlite3", "journal": tmp_path / "journal.jsonl"}
    with Sandbox(**files) as sandbox:
        done = place(sandbox)
        sandbox.finish_all()
        refill = ask(sandbox, "refill", order=done)["refill"]
        order = place(sandbox, "partial:30")
        sandbox.set_order(done, show={"remains": "Unknown"})
        now, balance, entries = sandbox.clock.now(), sandbox.balance, list(sandbox.journal)
    with Sandbox(**files, balance="7") as sandbox:
        assert (sandbox.clock.now(), sandbox.balance) == (now, balance)
        assert list(sandbox.journal)[: len(entries)] == entries
        assert status(sandbox, done)["remains"] == "Unknown"
        sandbox.finish_all()
        assert status(sandbox, order)["status"] == "Partial"
        assert ask(sandbox, "refill_status", refill=refill) == {"status": "Completed"}
        assert place(sandbox) == order + 1
        assert list(read_journal(files["journal"])) == list(sandbox.journal)


def test_without_a_state_file_a_sandbox_begins_anew(tmp_path: Path) -> None:
    for _ in range(2):
        with Sandbox(journal=tmp_path / "journal.jsonl") as sandbox:
            assert place(sandbox) == 23501
    assert [entry["fresh"] for entry in read_journal(tmp_path / "journal.jsonl").of("started")] == [True, True]


def test_a_torn_last_line_is_mended_from_the_state(tmp_path: Path) -> None:
    files = {"state": tmp_path / "state.sqlite3", "journal": tmp_path / "journal.jsonl"}
    with Sandbox(**files) as sandbox:
        place(sandbox)
    whole = files["journal"].read_bytes()
    files["journal"].write_bytes(whole[:-20])
    assert read_journal(files["journal"]).orders() == [], "a reader leaves out what is not yet whole"
    with Sandbox(**files) as sandbox:
        assert files["journal"].read_bytes().startswith(whole)
        assert list(read_journal(files["journal"])) == list(sandbox.journal)


def test_two_sandboxes_do_not_share_a_state(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with Sandbox(state=state), pytest.raises(Unusable, match=r"cannot be used: database is locked\.$"):
        Sandbox(state=state)


@pytest.mark.parametrize("option", ["state", "journal"])
def test_a_file_of_another_kind_is_not_used(tmp_path: Path, option: str) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir,\n" * 1000)
    with pytest.raises(Unusable, match="letter.txt cannot be used"):
        Sandbox(**{option: tmp_path / "letter.txt"})
    assert (tmp_path / "letter.txt").read_text().startswith("Dear Sir,")


def test_a_refused_order_leaves_nothing_behind(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite3"
    with Sandbox(state=state, balance="0.1") as sandbox:
        assert ask(sandbox, "add", **ORDERS["Default"]) == {"error": "Not enough funds on balance"}
    with sqlite3.connect(state) as db:
        assert db.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    db.close()


def test_a_kill_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    answered: list[int] = []

    def place_many(number: int) -> None:
        with requests.Session() as session:
            for turn in range(10_000):
                link = f"https://example.com/{number}/{turn}?sandbox=cancel"
                data = {"key": "sandbox-key", "action": "add", "service": "1", "link": link, "quantity": "50"}
                try:
                    answered.append(session.post(sandbox.url, data=data, timeout=5).json()["order"])
                except requests.RequestException:
                    return

    with SandboxProcess(tmp_path, "--balance", "1000") as sandbox:
        for _ in range(2):
            clients = [threading.Thread(target=place_many, args=(number,)) for number in range(4)]
            before = len(answered)
            for client in clients:
                client.start()
            while len(answered) < before + 100:
                sandbox.steer("clock", advance=1)
            sandbox.kill()
            for client in clients:
                client.join()
            sandbox.start()
        journal = sandbox.journal
        told = {entry["order"]: Decimal(entry["charge"]) for entry in journal.orders()}
        assert len(answered) == len(set(answered)) >= 200
        assert set(answered) <= set(told), "every answered order is in the journal"
        ids = sorted(answered)[-100:]
        assert all("error" not in item for item in sandbox.ask("status", orders=",".join(map(str, ids))).values())
        refunds = sum(Decimal(entry["amount"]) for entry in journal.refunds())
        assert Decimal(sandbox.ask("balance")["balance"]) == 1000 - sum(told.values()) + refunds
        numbers = [entry["seq"] for entry in journal]
        assert numbers == list(range(1, len(numbers) + 1)), "no entry is lost or told twice"


def test_faults_added_while_it_runs_end_with_the_process(tmp_path: Path) -> None:
    with SandboxProcess(tmp_path) as sandbox:
        sandbox.steer("faults", faults=["balance=answer:none"])
        with pytest.raises(json.JSONDecodeError):
            sandbox.ask("balance")
        assert sandbox.stop() == 0
        sandbox.start()
        assert sandbox.ask("balance")["currency"] == "USD"


def test_the_journal_is_never_ahead_of_what_was_done(tmp_path: Path) -> None:
    def place_and_fail() -> None:
        with sandbox.store.transaction():
            sandbox.place_by_hand(**ORDERS["Default"])
            raise RuntimeError("power cut")

    with Sandbox(journal=tmp_path / "journal.jsonl") as sandbox:
        with pytest.raises(RuntimeError, match="power cut"):
            place_and_fail()
        assert read_journal(tmp_path / "journal.jsonl").orders() == sandbox.journal.orders() == []
        assert (sandbox.orders, sandbox.balance) == ({}, sandbox.opening)
        assert place(sandbox) == 23501
        assert read_journal(tmp_path / "journal.jsonl").orders() == sandbox.journal.orders()


def test_a_journal_that_is_asked_for_later_tells_all(tmp_path: Path) -> None:
    with Sandbox(state=tmp_path / "state.sqlite3") as sandbox:
        order = place(sandbox)
    with Sandbox(state=tmp_path / "state.sqlite3", journal=tmp_path / "journal.jsonl") as sandbox:
        assert [entry["order"] for entry in read_journal(tmp_path / "journal.jsonl").orders()] == [order]


def test_many_clients_at_once_get_an_order_each() -> None:
    answered: list[int] = []

    def place_some(sandbox: Sandbox, number: int) -> None:
        with requests.Session() as session:
            for turn in range(40):
                link = f"https://example.com/{number}/{turn}"
                data = {"key": sandbox.key, "action": "add", **(ORDERS["Default"] | {"link": link})}
                answered.append(session.post(sandbox.url, data=data, timeout=30).json()["order"])

    with Sandbox(balance="1000") as sandbox:
        clients = [threading.Thread(target=place_some, args=(sandbox, number)) for number in range(8)]
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            sandbox.advance(5)
        assert sorted(answered) == list(range(23501, 23501 + 320))
        links = {entry["link"] for entry in sandbox.journal.orders()}
        assert len(links) == 320
        assert sandbox.balance == 1000 - Decimal("0.9") * 320
