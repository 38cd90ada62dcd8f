"""Posts to addresses that users name never reach a private network, and end in time."""

import asyncio
import socket
from typing import Any

import pytest

from hansa.api import outbound
from hansa.api.outbound import Outbound, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "no address",
    ],
)
def test_addresses_of_private_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_other_addresses_are(address: str) -> None:
    assert is_public(address)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def getaddrinfo(_host: str, port: int, **_more: Any) -> list[Any]:
        kind = socket.AF_INET
        return [(kind, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_every_address_of_a_name_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with one public and one private address is a way in."""
    resolve_to(monkeypatch, "8.8.8.8", "10.0.0.1")
    assert Outbound().check("https://shop.example/hook") == "the host is in a private network"
    resolve_to(monkeypatch, "8.8.8.8")
    assert Outbound().check("https://shop.example/hook") == ""


def test_the_connection_goes_to_the_address_that_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that means another address a moment later leads nowhere else."""
    resolve_to(monkeypatch, "8.8.8.8")
    seen: list[str] = []

    async def send(_parts: Any, address: str, *_rest: Any) -> Any:
        seen.append(address)
        resolve_to(monkeypatch, "127.0.0.1")
        raise OSError

    monkeypatch.setattr(outbound, "_send", send)
    assert Outbound().post("https://shop.example/hook", b"", {}).status == 0
    assert seen == ["8.8.8.8"]
    assert Outbound().post("https://shop.example/hook", b"", {}).text.startswith("the host is in")
    assert seen == ["8.8.8.8"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "//shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "http://",
        "http:///x",
        "http://a:b@shop.example/",
        "http://shop.example:99999/",
        "http://shop.example:x/",
        "http://[::1/",
        "http://shop.example/\r\nhost: other",
        "http://sh op.example/",
        "http://商店.example/",
        "http://shop.example/" + "x" * 3_000,
    ],
)
def test_what_is_no_plain_url_is_refused_before_anything_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    def fail(*_arguments: Any, **_more: Any) -> Any:
        raise AssertionError("looked up")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert Outbound().check(url)
    assert Outbound().post(url, b"", {}).status == 0


def test_an_operators_list_is_the_only_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "10.0.0.7")
    listed = Outbound(["ERP.example", "10.0.0.7:8443", "[::1]"])
    assert (
        listed.check("http://erp.example/x") == "" and listed.check("http://erp.example.:9/") == ""
    )
    assert listed.check("https://10.0.0.7:8443/") == ""
    assert listed.check("https://10.0.0.7/").startswith("the operator")
    resolve_to(monkeypatch, "8.8.8.8")
    assert listed.check("https://shop.example/").startswith("the operator")


def test_who_answers_drop_by_drop_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "8.8.8.8")
    monkeypatch.setattr(outbound, "WHOLE_S", 0.01)

    async def drip(*_arguments: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(outbound, "_send", drip)
    answer = Outbound().post("http://shop.example/", b"", {})
    assert answer.status == 0 and answer.text.startswith("no answer")


def test_a_name_without_an_address_and_a_large_body_are_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: Any, **_more: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert Outbound().post("http://shop.example/", b"", {}).text == "the host has no address"
    resolve_to(monkeypatch, "8.8.8.8")
    large = b"x" * (outbound.BODY_BYTES_MAX + 1)
    assert Outbound().post("http://shop.example/", large, {}).status == 0


def test_documents_are_fetched_over_tls_only_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "8.8.8.8")
    monkeypatch.setattr(outbound, "WHOLE_S", 0.01)

    async def drip(*_arguments: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(outbound, "_fetch", drip)
    assert Outbound().fetch("http://shop.example/", size_max=9).text == "not an https address"
    fetched = Outbound().fetch("https://shop.example/did.json", size_max=9)
    assert fetched.status == 0 and fetched.text.startswith("no answer")
    resolve_to(monkeypatch, "8.8.8.8", "127.0.0.1")
    fetched = Outbound().fetch("https://shop.example/did.json", size_max=9)
    assert fetched.text == "the host is in a private network"
