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

from tests.frame.panel import GONE_SECONDS, Panel, free_port, link_of, manage

LISTENS = "0A"  # the state in /proc/net/tcp
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


def test_a_panel_runs_alone_in_its_folder_and_leaves_nothing_after_ctrl_c(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()

    assert page(panel.port) == 200
    running = panel.commands()
    for process in ("gunicorn", "-A smmpanel worker", "-A smmpanel beat", "valkey-server"):
        assert process in running
    assert listened_at(panel) == {("127.0.0.1", panel.port)}
    assert mode(panel.folder) == mode(panel.folder / "valkey.sock") == 0o700
    assert mode(panel.folder / "secret.key") == 0o600

    second = start(folder=panel.folder)
    assert second.launcher.wait(timeout=GONE_SECONDS) == 1
    assert second.output() == f"A panel already runs in {panel.folder} (process {panel.launcher.pid}).\n"
    assert page(panel.port) == 200

    os.killpg(panel.launcher.pid, signal.SIGINT)
    assert panel.launcher.wait(timeout=GONE_SECONDS) == 130
    panel.assert_nothing_is_left()


def _asked_raw(port: int, *head: str, body: bytes, ends_early: bool = False) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        lines = ["POST /api/v2 HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", *head, "", ""]
        connection.sendall("\r\n".join(lines).encode() + body)
        if ends_early:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer.decode().partition("\r\n\r\n")[2]


def test_the_server_hands_over_whole_bodies_and_believes_no_header_of_a_client(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()
    json_body = "Content-Type: application/json"
    chunks = b"4\r\n[1, \r\n2\r\n2]\r\n0\r\n\r\n"
    in_chunks = _asked_raw(panel.port, json_body, "Transfer-Encoding: chunked", body=chunks)
    assert "the body must be a JSON object" in in_chunks
    cut = _asked_raw(panel.port, json_body, "Transfer-Encoding: chunked", body=b"4\r\n[1", ends_early=True)
    assert "error" in cut or cut == ""
    half = _asked_raw(panel.port, json_body, "Content-Length: 90", body=b'{"key": "a"}', ends_early=True)
    assert "the body did not arrive whole" in half
    lying = ("SCRIPT_NAME: /elsewhere", "PATH_INFO: /elsewhere", "Script-Name: /elsewhere")
    assert "Invalid API key" in _asked_raw(panel.port, json_body, *lying, "Content-Length: 2", body=b"{}")


def test_nothing_survives_a_killed_launcher_and_it_can_be_started_again_at_once(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()
    first = panel.processes()
    panel.launcher.kill()
    panel.launcher.wait()

    again = start(folder=panel.folder, port=panel.port)
    again.wait_until_ready()
    assert not first & again.processes()

    os.killpg(again.launcher.pid, signal.SIGKILL)  # the job as a whole, as a closed terminal or a test runner does
    again.launcher.wait()
    again.assert_nothing_is_left()


def test_a_process_that_ends_by_itself_stops_the_panel_and_is_named(start: Callable[..., Panel]) -> None:
    panel = start()
    panel.wait_until_ready()
    for pid in panel.processes():
        if b"-A\0smmpanel\0beat" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    assert panel.launcher.wait(timeout=GONE_SECONDS) != 0
    assert panel.output().count("scheduler ended by itself, so the panel stops.") == 1
    panel.assert_nothing_is_left()


def test_two_panels_run_side_by_side_and_commands_find_theirs(start: Callable[..., Panel]) -> None:
    one, other = start(), start()
    one.wait_until_ready()
    other.wait_until_ready()

    assert page(one.port) == page(other.port) == 200
    asked = "from django.conf import settings; print(settings.REDIS_URL, settings.DATABASES['default']['NAME'])"
    shown = manage("shell", "-c", asked, PANEL_DATA_DIR=str(other.folder)).stdout
    assert "panel%201/valkey.sock" in shown
    assert f"{other.folder}/panel.sqlite3" in shown

    one.launcher.terminate()
    assert one.launcher.wait(timeout=GONE_SECONDS) == 143
    one.assert_nothing_is_left()
    (valkey,) = [pid for pid in other.processes() if "valkey-server" in link_of(f"/proc/{pid}/exe")]
    os.kill(valkey, signal.SIGKILL)  # a panel with a part missing must not go on as if nothing were
    assert other.launcher.wait(timeout=GONE_SECONDS) not in (0, None)
    other.assert_nothing_is_left()


def test_a_taken_port_is_said_in_one_sentence(start: Callable[..., Panel]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        panel = start(port=squatter.getsockname()[1])
        assert panel.launcher.wait(timeout=GONE_SECONDS) == 1
    assert panel.output() == (
        f"Port {panel.port} is taken: stop what listens there, or choose another with PORT={panel.port + 1} make run.\n"
    )
    panel.assert_nothing_is_left()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def listened_at(panel: Panel) -> set[tuple[str, int]]:
    """Every TCP address that a process of the panel listens at."""
    sockets = {
        link_of(f"/proc/{pid}/fd/{descriptor}")
        for pid in panel.processes()
        for descriptor in os.listdir(f"/proc/{pid}/fd")
    }
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:]):
            address, _, port = fields[1].partition(":")
            if fields[3] == LISTENS and f"socket:[{fields[9]}]" in sockets:
                found.add((socket.inet_ntop(family, bytes.fromhex(address)[::-1]), int(port, 16)))
    return found
