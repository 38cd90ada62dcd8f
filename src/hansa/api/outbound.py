"""Posts to addresses that users name (subscriptions), and documents fetched from such addresses:
bounded, and never into the private network.

A name is resolved once, every address of it is judged, and the connection goes to a judged one. No
redirects, no proxies, no cookies; of an answer to a post no body is read. Touches the network only.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx
import msgspec

from hansa.appkit.route import Answer

URL_MAX: Final = 2_000
# A subscriber that needs longer to say that it has it answers at its own pace the next time.
CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0
BODY_BYTES_MAX: Final = 8_000_000
# All of it, also from one who answers byte by byte.
WHOLE_S: Final = 15.0
# IPv6 addresses that a translator turns into IPv4 ones (RFC 6052, RFC 8215).
_TRANSLATED: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48")))
_PORTS: Final = {"http": 80, "https": 443}


class Fetched(msgspec.Struct, frozen=True):
    """What was fetched. `status` 0: it could not be had, `text` says why."""

    status: int
    body: bytes = b""
    text: str = ""


class Outbound:
    """Sends posts and fetches documents. `allowed`: hosts (`erp.example`, `10.0.0.7:8443`) to which
    the operator limits them, private ones too; none given: any public address.
    """

    def __init__(self, allowed: Iterable[str] = (), *, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: which certificates are trusted for what is fetched; None: those of the web."""
        self._allowed = frozenset(each.lower() for each in allowed)
        self._tls = tls

    def check(self, url: str) -> str:
        """Why nothing is sent there; empty when something may be. Asks the name service."""
        parts, why = _split(url)
        if parts is None:
            return why
        return self._choose(parts)[1]

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One attempt. Never raises for what the other side does."""
        parts, why = _split(url)
        if parts is None:
            return Answer(0, why)
        address, why = self._choose(parts)
        if not address:
            return Answer(0, why)
        if len(body) > BODY_BYTES_MAX:
            return Answer(0, f"more than {BODY_BYTES_MAX} bytes")
        try:
            return asyncio.run(asyncio.wait_for(_send(parts, address, body, headers), WHOLE_S))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return Answer(0, f"no answer ({type(error).__name__})")

    def fetch(self, url: str, *, size_max: int) -> Fetched:
        """What stands at an https address, at most `size_max` bytes. Never raises for what the
        other side does.
        """
        parts, why = _split(url)
        if parts is not None and parts.scheme != "https":
            parts, why = None, "not an https address"
        address, why = self._choose(parts) if parts is not None else ("", why)
        if parts is None or not address:
            return Fetched(0, text=why)
        try:
            return asyncio.run(
                asyncio.wait_for(_fetch(parts, address, size_max, self._tls), WHOLE_S)
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return Fetched(0, text=f"no answer ({type(error).__name__})")

    def _choose(self, parts: SplitResult) -> tuple[str, str]:
        """An address to connect to, or why there is none."""
        host, port = _host(parts), parts.port or _PORTS[parts.scheme]
        is_named = bool(self._allowed & {host, f"{host}:{port}"})
        if self._allowed and not is_named:
            return "", "the operator of this gateway has not allowed that host"
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return "", "the host has no address"
        addresses = [str(each[4][0]) for each in found]
        if not is_named and not all(map(is_public, addresses)):
            return "", "the host is in a private network"
        return addresses[0], ""


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, also when IPv6 wraps an IPv4 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    if inner is not None:
        found = inner
    if any(found in each for each in _TRANSLATED):
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved)


def _split(url: str) -> tuple[SplitResult | None, str]:
    if len(url) > URL_MAX or not url.isascii() or any(each <= " " for each in url):
        return None, f"not a URL of at most {URL_MAX} plain characters"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return None, "not a URL"
    if parts.scheme not in _PORTS or not host:
        return None, "not an http or https URL"
    if parts.username is not None or parts.password is not None:
        return None, "a URL with a name or password in it"
    return parts, ""


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").lower().rstrip(".")


def _point(parts: SplitResult, address: str) -> str:
    """The URL that leads to the judged address, whatever the name resolves to by now."""
    shown = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{shown}{port}{parts.path or '/'}{query}"


async def _send(
    parts: SplitResult, address: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    limits = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=limits) as client:
        request = client.build_request(
            "POST",
            _point(parts, address),
            content=body,
            headers={**headers, "host": parts.netloc},
            extensions={"sni_hostname": _host(parts)},
        )
        # The head alone: what else it says is nobody's business here.
        answer = await client.send(request, stream=True)
        await answer.aclose()
        kept = {name.lower(): value[:200] for name, value in answer.headers.items()}
        return Answer(answer.status_code, answer.reason_phrase[:100], kept)


async def _fetch(
    parts: SplitResult, address: str, size_max: int, tls: ssl.SSLContext | None
) -> Fetched:
    async with httpx.AsyncClient(
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
        verify=True if tls is None else tls,
    ) as client:
        request = client.build_request(
            "GET",
            _point(parts, address),
            # what is not compressed cannot grow
            headers={"host": parts.netloc, "accept-encoding": "identity"},
            extensions={"sni_hostname": _host(parts)},
        )
        answer = await client.send(request, stream=True)
        try:
            if answer.status_code != 200:
                return Fetched(answer.status_code)
            if "content-encoding" in answer.headers:
                return Fetched(0, text="an encoded answer")
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > size_max:
                    return Fetched(0, text=f"more than {size_max} bytes")
            return Fetched(200, bytes(body))
        finally:
            await answer.aclose()
