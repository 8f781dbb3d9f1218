"""The process that is killed: forked before anything runs beside it, it waits for its turn, works, and dies at its point."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from dataclasses import dataclass

from torture.plan import Plan
from torture.points import POINTS, Trap
from torture.work import STAGES
from torture.world import use

LONGEST_SECONDS = 20  # a victim that still works then has hung, and its alarm ends it


@dataclass(slots=True)
class Victim:
    """As its parent sees it. `killed` after `work`: whether it died at its point."""

    process: int
    turn: int
    killed: bool = False
    failure: str = ""

    @classmethod
    def fork(cls, plan: Plan, database: str) -> Victim:
        """Call it while the process has one thread: a fork takes no other thread along, but the locks they hold."""
        waits, turn = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(turn)
            _live(plan, database, waits)
        os.close(waits)
        return cls(process, turn)

    def work(self) -> None:
        """Let it work, and wait for its end."""
        os.write(self.turn, b"!")
        os.close(self.turn)
        _, status = os.waitpid(self.process, 0)
        self.killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        if not self.killed and status != 0:
            self.failure = f"the victim ended with {os.waitstatus_to_exitcode(status)} (14 is its alarm)"


def _live(plan: Plan, database: str, turn: int) -> None:
    code = 1
    try:
        if os.read(turn, 1):
            signal.alarm(LONGEST_SECONDS)
            use(database)
            POINTS[plan.point].install(Trap(plan.occurrence))
            STAGES[plan.stage](plan)
        code = 0
    except BaseException:  # noqa: BLE001 - a forked process must end here, whatever it was
        traceback.print_exc(file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)
