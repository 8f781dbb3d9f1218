"""Where a request may go."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from providers.client.addresses import AddressRefused, NameUnknown, is_allowed_host, is_public, targets
from providers.client.exchange import Deadline
from providers.client.sessions import new_session
from providers.client.transport import Reply, Trouble, send
from tests.providers.sockets import Panel, answering
from tests.providers.test_transport import request


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "2002:a00:1::", "::ffff:169.254.169.254",
    ],
)  # fmt: skip
def test_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True), ("LOCALHOST.", True), ("127.0.0.1", True), ("::ffff:127.0.0.1", True), ("10.1.2.3", True),
        ("10.2.0.1", False), ("localhost.evil.example", False), ("127.0.0.2", False),
    ],
)  # fmt: skip
def test_allowed_by_name_address_or_network(settings: Any, host: str, allowed: bool) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["LocalHost", "127.0.0.1", "10.1.0.0/16"]
    assert is_allowed_host(host) is allowed


class TestNames:
    def resolve(self, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        found = [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443))
            for each in addresses
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    def test_a_name_that_leads_inside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.resolve(monkeypatch, "10.0.0.1", "::ffff:127.0.0.1")
        with pytest.raises(AddressRefused):
            targets("panel.example", 443, secure=True, deadline=Deadline.after(1))

    def test_of_several_only_the_public_are_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.resolve(monkeypatch, "192.168.0.1", "8.8.8.8")
        found = targets("panel.example", 443, secure=True, deadline=Deadline.after(1))
        assert [target.sockaddr for target in found] == [("8.8.8.8", 443)]

    def test_plain_http_is_for_named_hosts_alone(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        self.resolve(monkeypatch, "8.8.8.8")
        with pytest.raises(AddressRefused):
            targets("panel.example", 80, secure=False, deadline=Deadline.after(1))
        settings.PROVIDER_PRIVATE_HOSTS = ["panel.example"]
        assert targets("panel.example", 80, secure=False, deadline=Deadline.after(1))

    def test_a_name_without_an_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(-2, "unknown")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(NameUnknown):
            targets("panel.example", 443, secure=True, deadline=Deadline.after(1))


class TestOnTheWire:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_loopback_is_refused_in_each_spelling(self, host: str, scheme: str) -> None:
        session = new_session(places=1)
        with Panel(answering({})) as panel:
            got = send(session, request(f"{scheme}://{host}:{panel.port}/"))
        session.close()
        assert isinstance(got, Trouble)
        assert (got.written, panel.connections) == (False, 0)

    def test_the_checked_address_is_the_one_connected_to(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        """A name that answers anew at every look-up is looked up once."""
        settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
        asked: list[object] = []
        session = new_session(places=1)
        with Panel(answering({})) as panel:

            def rebinding(*_: object, **__: object) -> list[Any]:
                asked.append(1)
                address = "127.0.0.1" if len(asked) == 1 else "127.0.0.99"
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, panel.port))]

            settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1", "panel.example"]
            monkeypatch.setattr(socket, "getaddrinfo", rebinding)
            got = send(session, request(f"http://panel.example:{panel.port}/"))
        session.close()
        assert isinstance(got, Reply)
        assert len(asked) == 1

    def test_the_next_address_is_tried_when_one_is_dead(self, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        settings.PROVIDER_PRIVATE_HOSTS = ["panel.example"]
        session = new_session(places=1)
        with Panel(answering({})) as panel:
            found = [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, panel.port))
                for address in ("127.0.0.77", "127.0.0.1")
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
            got = send(session, request(f"http://panel.example:{panel.port}/"))
        session.close()
        assert isinstance(got, Reply)

    def test_ipv6(self, settings: Any) -> None:
        settings.PROVIDER_PRIVATE_HOSTS = ["::1"]
        try:
            panel = Panel(answering({}), host="::1")
        except OSError:
            pytest.skip("this machine has no IPv6")
        session = new_session(places=1)
        with panel:
            got = send(session, request(f"http://[::1]:{panel.port}/"))
        session.close()
        assert isinstance(got, Reply)
