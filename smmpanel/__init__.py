"""The composition root: settings, addresses, the Celery application, and the launcher that runs it all together."""

from smmpanel.celery import app as celery_app

__all__ = ["celery_app"]
