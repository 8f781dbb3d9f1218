"""What every log line of a piece of work carries: which request, job, run or order it belongs to.

Kept in context variables, so that who logs need not know. A thread of a pool begins without them: hand it its work
through `carried`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from structlog.contextvars import bound_contextvars

P = ParamSpec("P")
T = TypeVar("T")


def about(**ids: object) -> AbstractContextManager[None]:
    """All that is logged inside carries these, beside what it carried before."""
    return bound_contextvars(**ids)


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """The work, for one call in another thread, with what this thread's lines carry now."""
    context = copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return context.run(work, *args, **kwargs)

    return run
