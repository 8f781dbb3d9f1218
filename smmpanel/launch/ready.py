"""The errand of a start: load the demo once the sandbox answers, and say Ready once the page really answers."""

from __future__ import annotations

import http.client
import io
import os
import sys
import time
from urllib.parse import urljoin, urlsplit

import django

from smmpanel import settings

PATIENCE_SECONDS = 120.0
STEP_SECONDS = 0.2
MOST_REDIRECTS = 5
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what one asks when a server listens everywhere


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmpanel.settings")
    give_up = time.monotonic() + PATIENCE_SECONDS
    lines = _load_demo(give_up) if settings.PANEL_DEMO else _first_steps()
    _wait(ANYWHERE.get(settings.HOST, settings.HOST), settings.PORT, give_up)
    print("\n".join([f"Ready: {settings.PUBLIC_URL}", *lines]), flush=True)  # noqa: T201


def _first_steps() -> list[str]:
    """What a panel says that nobody can sign in to yet."""
    django.setup()
    from accounts.models import User

    if User.objects.filter(is_staff=True).exists():
        return []
    folder = os.environ.get("PANEL_DATA_DIR")
    with_folder = f"PANEL_DATA_DIR={folder} " if folder else ""
    return [
        "  Nobody can sign in yet. Make the operator with",
        f"  {with_folder}.venv/bin/python manage.py create_operator you@example.com",
    ]


def _load_demo(give_up: float) -> list[str]:
    port = int(os.environ["SANDBOX_PORT"])
    _wait("127.0.0.1", port, give_up, page=False)
    django.setup()
    from django.core.management import CommandError, call_command

    said = io.StringIO()
    try:
        call_command("load_demo", sandbox_url=f"http://127.0.0.1:{port}/api/v2", stdout=said)
    except CommandError as error:
        sys.exit(f"The demo could not be loaded: {error}")
    return [*said.getvalue().splitlines(), f"  The operator's side is at {settings.PUBLIC_URL}/{settings.ADMIN_PATH}"]


def _wait(host: str, port: int, give_up: float, *, page: bool = True) -> None:
    """Until a server answers there: with a page that was found, or, for an API, with anything."""
    seen = "nothing"
    while time.monotonic() < give_up:
        try:
            status = _status(host, port)
            if status < http.client.BAD_REQUEST or not page:
                return
            seen = f"status {status}"
        except (OSError, http.client.HTTPException) as error:
            seen = str(error) or type(error).__name__
        time.sleep(STEP_SECONDS)
    sys.exit(f"The panel does not answer at {host}:{port} ({seen}): see the lines above for the reason.")


def _status(host: str, port: int) -> int:
    """The status of the first page, its redirects followed, asked as a visitor's proxy would."""
    public, path = urlsplit(settings.PUBLIC_URL), "/"
    for _ in range(MOST_REDIRECTS):
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": public.netloc, "X-Forwarded-Proto": public.scheme})
            answer = connection.getresponse()
            location = answer.headers.get("Location")
            if not location:
                return answer.status
            path = urlsplit(urljoin(path, location)).path or "/"
        finally:
            connection.close()
    return answer.status


if __name__ == "__main__":
    main()
