"""How gunicorn serves the panel (`gunicorn -c python:smmpanel.serving smmpanel.wsgi`).

The settings are read here too, in gunicorn's first process: a bad one ends it with its sentence before any worker is
made.
"""

from __future__ import annotations

import os
from pathlib import Path

from smmpanel import settings
from smmpanel.environment import env

bind = f"{settings.HOST}:{settings.PORT}"
worker_class = "gthread"
workers = env.number("WEB_PROCESSES", 1, least=1, most=64)
threads = env.number("WEB_THREADS", 8, least=1, most=200)
timeout = 60  # seconds a worker may be silent before it is replaced
graceful_timeout = 8  # seconds for requests under way when told to stop; the launcher gives everything together 15
keepalive = 5
preload_app = False  # each worker opens its own connections
control_socket_disable = True  # by default it would lie in the home folder, where two panels share it
forwarded_allow_ips = "*" if settings.TRUSTED_PROXIES else "127.0.0.1"
forwarder_headers = ""  # no proxy of ours names the script or the path: a client that does is not believed
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() and os.access("/dev/shm", os.W_OK) else None  # noqa: S108
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {**settings.LOGGING["loggers"], "gunicorn.error": {"level": "INFO", "propagate": True}},
}
accesslog = None
limit_request_line = 8190
