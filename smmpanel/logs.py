"""How the panel logs: structlog for every logger, a line to read at a console or a JSON object for a collector.

Secrets are taken out on the way: values by the name of their field, and what looks like a secret in a text.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from records.redaction import hide, scrub

FORMATS = frozenset({"console", "text", "json"})  # console and text are one
LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})


def without_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the same event without secrets."""
    safe = hide(event)
    return {name: scrub(value) if isinstance(value, str) else value for name, value in safe.items()}


def logging_settings(*, form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: one handler, standard error, every logger through the same processors."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "panel": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": before,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,  # first, so that a traceback is searched for secrets too
                    without_secrets,
                    *_renderers(form),
                ],
            }
        },
        "handlers": {"panel": {"class": "logging.StreamHandler", "formatter": "panel"}},
        "root": {"handlers": ["panel"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "axes": {"level": "WARNING"},
            "celery": {"level": level},
            "celery.beat": {"level": "WARNING"},  # a line a job and minute says nothing: the runs are in the database
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "stamina": {"level": "ERROR"},  # that a question is asked again is no news: its last answer is
            "urllib3": {"level": "WARNING"},  # its debug lines hold whole addresses
        },
    }


def _renderers(form: str) -> list[Processor]:
    if form == "json":
        return [structlog.processors.EventRenamer("message"), structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
