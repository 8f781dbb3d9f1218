"""Where things lie: worked out from the data folder alone, and safe to be worked out by several at once."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import ConnectionPool

from smmpanel.broker import Broker, embedded_url
from smmpanel.places import SOCKET_PATH_BYTES, Places, UnsafePlace


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """A folder whose path is too long for a socket, with the short root in a folder of this test."""
    root = Path(tempfile.mkdtemp(prefix="frame-", dir="/tmp"))  # noqa: S108 - pytest's own are too long
    monkeypatch.setattr("smmpanel.places.SHORT_ROOT", root)
    yield Places(tmp_path / ("ü" * 60))
    shutil.rmtree(root)


def test_the_socket_lies_in_the_folder() -> None:
    assert Places(Path("/srv/panel")).broker_socket == Path("/srv/panel/valkey.sock")


def test_a_path_too_long_for_a_socket_falls_back_to_a_short_private_one(deep: Places) -> None:
    deep.make()
    assert len(os.fsencode(deep.broker_socket)) <= SOCKET_PATH_BYTES
    assert deep.broker_socket.parent.stat().st_mode & 0o777 == 0o700
    assert Places(deep.folder).broker_socket == deep.broker_socket  # another process finds the same
    assert Places(deep.folder.with_name("other" * 20)).broker_socket != deep.broker_socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(deep.broker_socket))
        server.listen()
        assert deep.broker_answers()


def test_length_counts_in_bytes() -> None:
    folder = Path("/" + "ü" * (SOCKET_PATH_BYTES - 50))  # short enough in characters
    assert Places(folder).broker_socket.parent != folder


def test_a_short_folder_that_others_may_enter_is_refused(deep: Places) -> None:
    deep.broker_socket.parent.mkdir(parents=True, mode=0o755)
    deep.broker_socket.parent.chmod(0o755)
    with pytest.raises(UnsafePlace, match="remove it and start again"):
        deep.make()
    assert not deep.broker_answers()


def test_a_short_folder_that_is_a_link_is_refused(deep: Places, tmp_path: Path) -> None:
    deep.broker_socket.parent.parent.mkdir(exist_ok=True)
    deep.broker_socket.parent.symlink_to(tmp_path)
    with pytest.raises(UnsafePlace):
        deep.make()


def test_a_socket_left_by_a_killed_broker_is_no_broker(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert not places.broker_answers()
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(places.broker_socket))
    server.close()
    assert places.broker_socket.exists()
    assert not places.broker_answers()


def test_odd_signs_of_a_folder_are_escaped_in_addresses() -> None:
    url = embedded_url(Places(Path("/srv/my panel #1")))
    assert ConnectionPool.from_url(url).connection_kwargs["path"] == "/srv/my panel #1/valkey.sock"
    assert Broker(url).celery_url == "redis+socket:///srv/my%20panel%20%231/valkey.sock?virtual_host=0"


def test_celery_gets_the_database_of_the_address() -> None:
    assert Broker("unix:///run/redis.sock?db=3").celery_url == "redis+socket:///run/redis.sock?virtual_host=3"
    assert Broker("rediss://:secret@host:6380/2").celery_url == "rediss://:secret@host:6380/2"
    assert Broker("").celery_url == "memory://"
