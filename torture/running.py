"""One run, from the copied database to the findings."""

from __future__ import annotations

import dataclasses
import json
import os
import time
import traceback
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from providers.client import sessions
from providers.client.calls import Caller
from providers.models import Provider
from providers.sandbox.server import Options, Sandbox
from records import hints
from torture import work
from torture.checking import Findings, Truth, at_once, in_the_end, recovered
from torture.faults import arm
from torture.plan import LONG_SECONDS, Plan
from torture.recovery import ask_ended_again, operator_decides, until_quiet
from torture.victim import Victim
from torture.world import CURRENCY, OPENING, Databases, use
from torture.clock import let_pass

IDLE_SECONDS = 10.0  # how long the sandbox may take to end what it is at


def surroundings() -> None:
    """What is not the product's own in these processes: no broker answers, and requests have a short deadline."""
    hints._send = lambda name, scope: None
    of = Caller.of

    def hurried(provider: Provider) -> Caller:
        return dataclasses.replace(of(provider), deadline_seconds=settings.TORTURE_DEADLINE_SECONDS)

    Caller.of = hurried  # type: ignore[method-assign]


def run_one(plan: Plan, databases: Databases, name: str) -> dict[str, Any]:
    """The run's result, as it is kept. Call it in a process of its own, with one thread: it forks the victim."""
    began = time.monotonic()
    found = Findings()
    database = databases.copy(name)
    victim = Victim.fork(plan, database)
    use(database)
    options = Options(balance=OPENING, currency=CURRENCY, dialect=plan.dialect, seed=plan.seed)
    with Sandbox(options) as sandbox:
        try:
            _torture(plan, sandbox, victim, found)
        except Exception:  # noqa: BLE001 - a run that breaks off is a violation, told with its reason
            found.wrong("failures", traceback.format_exc(limit=-6))
        if found.violations:
            _keep_evidence(databases, name, sandbox, found)
    connections.close_all()
    if not found.violations:
        databases.drop(database)
    return {
        "point": plan.point,
        "fault": plan.fault,
        "seed": plan.seed,
        "killed": victim.killed,
        "counts": dict(found.counts),
        "violations": found.violations,
        "seconds": round(time.monotonic() - began, 3),
    }


def _torture(plan: Plan, sandbox: Sandbox, victim: Victim, found: Findings) -> None:
    Provider.objects.update(url=sandbox.url, concurrency=plan.lanes, resend_when_not_placed=plan.resend)
    chance = plan.chance("faults")

    def stage(name: str) -> None:
        if plan.stage == name:
            victim.work()
            if victim.failure:
                found.wrong("failures", victim.failure)
            at_once(found)
            _idle(sandbox)
        work.STAGES[name](plan)
        _idle(sandbox)

    work.order("before", [plan.before])
    work.run("submit_orders")
    let_pass(LONG_SECONDS)
    stage("deposit")
    stage("place")
    stage("cancel_free")
    arm(sandbox, plan.fault, chance)
    stage("submit")
    for number, batch in enumerate(plan.batches[1:], start=1):
        work.order(f"batch {number}", batch)
        work.run("tidy_orders", "probe_providers", "submit_orders")
        _idle(sandbox)
        let_pass(plan.pause_seconds)
    sandbox.advance(12)
    stage("sync")
    stage("cancel")
    sandbox.finish_all()
    stage("settle")
    stage("refill")
    sandbox.faults.clear()
    _recover(plan, sandbox, found)


def _recover(plan: Plan, sandbox: Sandbox, found: Findings) -> None:
    let_pass(LONG_SECONDS)
    work.order("after", [plan.afterwards])
    until_quiet(sandbox)
    recovered(plan, Truth.of(sandbox), found)
    operator_decides(plan, Truth.of(sandbox).made)
    until_quiet(sandbox)
    ask_ended_again()
    operator_decides(plan, Truth.of(sandbox).made)  # what came up late: an end that is unclear
    in_the_end(plan, sandbox, Truth.of(sandbox), found)


def _idle(sandbox: Sandbox) -> None:
    """Wait until the sandbox has ended what it was asked: time must not leap while it is at it."""
    sessions.sessions.close()
    until = time.monotonic() + IDLE_SECONDS
    while sandbox.busy:
        assert time.monotonic() < until, "the sandbox does not come to rest"
        time.sleep(0.002)


def _keep_evidence(databases: Databases, name: str, sandbox: Sandbox, found: Findings) -> None:
    lines = [json.dumps(entry) for entry in sandbox.journal]
    Path(databases.folder / f"{name}.journal.jsonl").write_text("\n".join(lines) + "\n")
    Path(databases.folder / f"{name}.txt").write_text("\n".join(found.violations) + "\n")


def in_a_process(plan: Plan, databases: Databases, name: str) -> tuple[int, int]:
    """Fork a process for the run; its id, and the pipe on which it writes its result as JSON."""
    reads, writes = os.pipe()
    process = os.fork()
    if process:
        os.close(writes)
        return process, reads
    code = 1
    try:
        os.close(reads)
        os.setpgid(0, 0)
        result = run_one(plan, databases, name)
        with os.fdopen(writes, "w") as pipe:
            json.dump(result, pipe)
        code = 0
    except BaseException:  # noqa: BLE001 - a forked process must end here, whatever it was
        traceback.print_exc()
    finally:
        os._exit(code)
