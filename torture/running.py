"""One run, from the copied database to the findings."""

from __future__ import annotations

import dataclasses
import functools
import gc
import json
import os
import time
import traceback
from pathlib import Path
from typing import Any

from django.db import connections

from providers.client import sessions
from providers.client.calls import Caller
from providers.client.sockets import tls_context
from providers.models import Provider
from providers.sandbox.server import Options, Sandbox
from records import hints
from torture import work
from torture.checking import Findings, Truth, at_once, in_the_end, recovered
from torture.clock import let_pass
from torture.faults import arm
from torture.plan import LONG_SECONDS, Plan
from torture.recovery import ask_ended_again, operator_decides, until_quiet
from torture.victim import Victim
from torture.world import CURRENCY, OPENING, Databases, use

DEADLINE_SECONDS = 0.4  # of a request, instead of a provider's whole seconds: only this is really waited for
UNSENT = {"deposit", "place", "cancel_free"}  # after these the provider has not come in yet
SOME_SECONDS = 12.0  # until orders are at work and none is done
IDLE_SECONDS = 10.0  # how long the sandbox may take to end what it is at


def surroundings() -> None:
    """What is not the product's own in these processes: no broker answers, and requests have a short deadline."""
    hints._send = lambda name, scope: None
    setattr(sessions, "tls_context", functools.cache(tls_context))  # noqa: B010 - http alone is spoken here, and it is slow
    of = Caller.of

    def hurried(provider: Provider) -> Caller:
        return dataclasses.replace(of(provider), deadline_seconds=DEADLINE_SECONDS)

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
        if found.violations or databases.keep:
            _keep_evidence(databases, name, sandbox, found)
    connections.close_all()
    if not (found.violations or databases.keep):
        databases.drop(database)
    return {
        "point": plan.point,
        "fault": plan.fault,
        "seed": plan.seed,
        "killed": victim.killed,
        "counts": dict(found.counts),
        "violations": found.violations,
        "seconds": round(time.monotonic() - began, 3),
        "processor_seconds": round(sum(os.times()[:4]), 3),
    }


def _torture(plan: Plan, sandbox: Sandbox, victim: Victim, found: Findings) -> None:
    Provider.objects.update(url=sandbox.url, concurrency=plan.lanes, resend_when_not_placed=plan.resend)
    work.order("before", [plan.before])
    work.run("submit_orders")
    let_pass(LONG_SECONDS)
    for stage in work.STAGES:
        _before(stage, plan, sandbox)
        if plan.stage == stage:
            victim.work()
            if victim.failure:
                found.wrong("failures", victim.failure)
            at_once(found)
            _idle(sandbox)
        work.STAGES[stage](plan, 1)
        _idle(sandbox)
        if stage == (plan.stage if plan.stage not in UNSENT else "submit"):
            break  # what would follow is a part of the recovery
    _more_orders(plan, sandbox)
    sandbox.faults.clear()
    _recover(plan, sandbox, found)


def _before(stage: str, plan: Plan, sandbox: Sandbox) -> None:
    """What the provider does between two pieces of the panel's work."""
    match stage:
        case "submit":
            arm(sandbox, plan.fault, plan.chance("faults"))
        case "sync":
            sandbox.advance(SOME_SECONDS)
        case "settle":
            sandbox.finish_all()
        case "refill":
            work.sync(plan, 1)  # the settlement may have failed: there must be something to refill


def _more_orders(plan: Plan, sandbox: Sandbox) -> None:
    """Customers go on ordering while the provider still fails."""
    for number, batch in enumerate(plan.batches[1:], start=1):
        if not batch:
            continue
        work.order(f"batch {number}", batch)
        work.run("tidy_orders", "probe_providers", "submit_orders")
        _idle(sandbox)
        let_pass(plan.pause_seconds)


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
    if sandbox.busy:
        gc.collect()  # a connection that broke may hang in a cycle of its exception's frames
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
        gc.disable()  # it lives for a second
        result = run_one(plan, databases, name)
        with os.fdopen(writes, "w") as pipe:
            json.dump(result, pipe)
        code = 0
    except BaseException:  # noqa: BLE001 - a forked process must end here, whatever it was
        traceback.print_exc()
    finally:
        os._exit(code)
