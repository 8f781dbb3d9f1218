"""What `make run` promises: one command starts everything, and nothing of it is left, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import stat
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.frame.panel import GONE_SECONDS, Panel, free_port, manage

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
    pytest.mark.xdist_group("launch"),
]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Panel]]:
    """Start panels, each in a folder of its own unless one is given; what a failing test leaves is killed."""
    panels: list[Panel] = []

    def start(folder: Path | None = None, port: int | None = None, **settings: str) -> Panel:
        folder = folder or tmp_path / f"panel {len(panels)}"  # a space, as folders have them
        panels.append(Panel(folder, port or free_port(), **settings))
        return panels[-1]

    yield start
    for panel in panels:
        panel.kill()


def page(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return int(answer.status)


def test_a_panel_runs_and_leaves_nothing_after_ctrl_c(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()

    assert page(panel.port) == 200
    running = panel.commands()
    for process in ("gunicorn", "celery --quiet -A smmpanel worker", "celery --quiet -A smmpanel beat", "valkey-server"):
        assert process in running
    os.killpg(panel.launcher.pid, signal.SIGINT)
    assert panel.launcher.wait(timeout=GONE_SECONDS) == 130
    panel.assert_nothing_is_left()


def test_nothing_survives_a_launcher_that_is_killed(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()

    panel.launcher.kill()
    panel.launcher.wait()
    panel.assert_nothing_is_left()


def test_nothing_survives_when_the_whole_job_is_killed(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()

    os.killpg(panel.launcher.pid, signal.SIGKILL)
    panel.launcher.wait()
    panel.assert_nothing_is_left()


def test_a_panel_stops_when_one_of_its_processes_dies(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()
    (valkey,) = [pid for pid in panel.processes() if "valkey-server" in os.readlink(f"/proc/{pid}/exe")]

    os.kill(valkey, signal.SIGKILL)

    assert panel.launcher.wait(timeout=GONE_SECONDS) != 0
    panel.assert_nothing_is_left()


def test_two_panels_run_side_by_side_and_commands_find_theirs(start: Callable[..., Panel]) -> None:
    one, other = start(), start()
    one.wait_until_ready()
    other.wait_until_ready()

    assert page(one.port) == page(other.port) == 200
    asked = "from django.conf import settings; print(settings.REDIS_URL, settings.DATABASES['default']['NAME'])"
    shown = manage("shell", "--no-imports", "-c", asked, PANEL_DATA_DIR=str(other.folder)).stdout
    assert "panel%201/valkey.sock" in shown
    assert f"{other.folder}/panel.sqlite3" in shown
    for panel in (one, other):
        panel.launcher.terminate()
        assert panel.launcher.wait(timeout=GONE_SECONDS) == 143
        panel.assert_nothing_is_left()


def test_only_loopback_and_sockets_in_the_folder_are_listened_at(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()

    listening = set()
    inodes = {os.readlink(f"/proc/{pid}/fd/{fd}") for pid in panel.processes() for fd in os.listdir(f"/proc/{pid}/fd")}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                listening.add(fields[1])
    assert listening == {f"0100007F:{panel.port:04X}"}


def test_a_taken_port_is_said_in_one_sentence(start: Callable[..., Panel]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        panel = start(port=squatter.getsockname()[1])
        assert panel.launcher.wait(timeout=GONE_SECONDS) == 1
    assert panel.output() == (
        f"Port {panel.port} is taken: stop what listens there, or choose another with PORT={panel.port + 1} make run.\n"
    )
    panel.assert_nothing_is_left()


def test_a_folder_has_one_panel_at_a_time(start: Callable[..., Panel]) -> None:
    first = start()
    first.wait_until_ready()

    second = start(folder=first.folder)
    assert second.launcher.wait(timeout=GONE_SECONDS) == 1
    assert second.output() == f"A panel already runs in {first.folder} (process {first.launcher.pid}).\n"
    assert page(first.port) == 200


def test_a_killed_panel_can_be_started_again_at_once(start: Callable[..., Panel]) -> None:
    first = start()
    first.wait_until_ready()
    first.launcher.kill()
    first.launcher.wait()

    again = start(folder=first.folder, port=first.port)
    again.wait_until_ready()


def test_the_folder_and_its_key_are_for_their_owner_alone(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()

    assert stat.S_IMODE(panel.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((panel.folder / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((panel.folder / "valkey.sock").stat().st_mode) == 0o700
