"""What does not end is ended: bodies, heads, chunks, depth, and what unpacks to more than it is."""

import gzip
import resource
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hansa.api.limits import BODY_BYTES_MAX
from hansa.api.server import HEAD_BYTES_MAX
from hansa.index.shape import Shape
from tests.apps.food_trace.routes.serving import Served, serve
from tests.security.doors import list_operations
from tests.security.raw import RawClient

pytestmark = pytest.mark.slow

HOST = b"Host: localhost\r\n"
# What the kernel's buffers take beside what the gateway reads.
BUFFERS = 16_000_000


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("endless") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def takers(league: Served) -> list[tuple[str, str]]:
    """Addresses that take a body, one for all messages, with its media type."""
    document = httpx.get(f"{league.url}/openapi.json").json()
    doors = list(list_operations(document, Shape(league.applications)))
    found = {each.name: (each.template, each.media) for each in doors if each.method == "POST"}
    assert len(found) > 20
    return [
        (template.replace("{", "").replace("}", ""), media) for template, media in found.values()
    ]


def head(path: str, media: str, *lines: bytes) -> bytes:
    kind = f"Content-Type: {media}\r\n".encode() if media else b""
    more = b"".join(line + b"\r\n" for line in lines)
    return f"POST {path} HTTP/1.1\r\n".encode() + HOST + kind + more + b"\r\n"


def is_refused(statuses: tuple[int, ...]) -> bool:
    return len(statuses) == 1 and 400 <= statuses[0] < 500


def test_a_length_without_end_is_refused_at_every_door(
    league: Served, takers: list[tuple[str, str]]
) -> None:
    for path, media in takers:
        with RawClient(league.url) as client:
            client.say(head(path, media, b"Content-Length: %d" % 10**15))
            heard = client.hear()
        assert heard.statuses == (413,), (path, heard)
        assert heard.closed


def test_chunks_without_end_are_cut_at_every_door(
    league: Served, takers: list[tuple[str, str]]
) -> None:
    piece = b"%x\r\n" % BODY_BYTES_MAX + b" " * BODY_BYTES_MAX + b"\r\n"
    for path, media in takers:
        with RawClient(league.url) as client:
            client.say(head(path, media, b"Transfer-Encoding: chunked"))
            for _ in range(3):
                client.say(piece)
            client.say(
                b"0\r\n\r\nGET /v1/status HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
            )
            heard = client.hear()
        assert heard.statuses, path
        assert 400 <= heard.statuses[0] < 500, (path, heard)


def test_chunks_that_go_on_end_the_connection(league: Served) -> None:
    piece = b"ffff\r\n" + b" " * 0xFFFF + b"\r\n"
    with RawClient(league.url) as client:
        client.say(head("/v1/transactions", "application/jose", b"Transfer-Encoding: chunked"))
        sent = 0
        try:
            while sent < BUFFERS:
                client.raw.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < BUFFERS


@pytest.mark.parametrize(
    "start",
    [
        b"GET /v1/status?" + b"a" * HEAD_BYTES_MAX * 2,
        b"GET /v1/status HTTP/1.1\r\nX-One: " + b"a" * HEAD_BYTES_MAX * 2,
        b"GET /v1/status HTTP/1.1\r\n" + b"X-One: a\r\n" * HEAD_BYTES_MAX,
        b"\r\n" * HEAD_BYTES_MAX,
        head("/v1/transactions", "", b"Transfer-Encoding: chunked")
        + b"1;"
        + b"a" * HEAD_BYTES_MAX * 2,
        head("/v1/transactions", "", b"Transfer-Encoding: chunked")
        + b"0\r\n"
        + b"X-One: a\r\n" * HEAD_BYTES_MAX,
    ],
    ids=["target", "header", "headers", "empty lines", "chunk's extension", "trailers"],
)
def test_a_head_without_end_is_refused(league: Served, start: bytes) -> None:
    with RawClient(league.url) as client:
        client.say(start)
        heard = client.hear()
    assert heard.closed
    assert is_refused(heard.statuses) or not heard.statuses


@pytest.mark.parametrize("part", [b"[", b'{"a":', b'[{"a":', b'{"\xff":"\xff"}', b"\xed\xa0\x80"])
def test_depth_and_what_is_no_text_are_refused_at_every_door(
    league: Served, takers: list[tuple[str, str]], part: bytes
) -> None:
    body = part * (BODY_BYTES_MAX // 8 // len(part))
    with httpx.Client(base_url=league.url, timeout=60) as client:
        client.headers["authorization"] = f"Bearer {league.sign_in('farm')}"
        for path, media in takers:
            answer = client.post(
                path, content=body, headers={"content-type": media or "text/plain"}
            )
            assert answer.status_code < 500, (path, answer.text)
            # A file that is read has a report of what is wrong with it.
            assert answer.status_code >= 400 or answer.json()["faults"], (path, answer.text)


def test_nothing_is_inflated_on_the_way_in(league: Served, takers: list[tuple[str, str]]) -> None:
    """A coded body is taken as the bytes that it is: no door undoes a Content-Encoding."""
    bombs = {
        "gzip": gzip.compress(bytes(50_000_000)),
        "deflate": zlib.compress(bytes(50_000_000)),
    }
    with httpx.Client(base_url=league.url, timeout=60) as client:
        client.headers["authorization"] = f"Bearer {league.sign_in('farm')}"
        for path, media in takers:
            for coding, body in bombs.items():
                headers = {"content-type": media or "text/plain", "content-encoding": coding}
                answer = client.post(path, content=body, headers=headers)
                assert answer.status_code < 500, (path, answer.text)
                assert answer.status_code >= 400 or answer.json()["faults"], (path, answer.text)


INFLATING = """
import gzip, io, zipfile, zlib
from hansa.apps.e_invoice.documents.sources import read_source
from hansa.apps.food_trace.routes.epcis.paging import read_token
from hansa.encoding.text import encode_base64url
from hansa.identity.status_bits import inflate

class Zeros(io.RawIOBase):
    def __init__(self, left): self.left = left
    def readable(self): return True
    def readinto(self, into):
        size = min(len(into), self.left)
        into[:size] = bytes(size)
        self.left -= size
        return size

def pack(make, size=350_000_000):
    zeros, parts = Zeros(size), []
    while part := zeros.read(1 << 20):
        parts.append(make.compress(part))
    return b"".join(parts) + make.flush()

def zipped(size=350):
    out = io.BytesIO()
    packed = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with packed as archive, archive.open("a.xml", "w") as file:
        for _ in range(size):
            file.write(bytes(1 << 20))
    return out.getvalue()

doors = {
    "status list, gzip": lambda: inflate(pack(zlib.compressobj(1, wbits=31)), as_gzip=True),
    "status list, zlib": lambda: inflate(pack(zlib.compressobj(1)), as_gzip=False),
    "page": lambda: read_token(encode_base64url(pack(zlib.compressobj(9), 5_000_000)), "/events"),
    "zip": lambda: read_source(zipped()),
}
for name, door in doors.items():
    try:
        door()
    except MemoryError:
        raise
    except Exception as error:
        print(name, "|", type(error).__name__)
"""


def test_every_door_that_inflates_stops_at_its_bound() -> None:
    """350 MB each, in a process that has no room for one of them."""
    room = 300 << 20

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (room, room))

    done = subprocess.run(
        [sys.executable, "-c", INFLATING],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=confine,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "MALLOC_ARENA_MAX": "2"},
    )
    assert done.returncode == 0, done.stderr
    said = dict(line.split(" | ") for line in done.stdout.splitlines())
    assert set(said.values()) == {"Malformed", "Trouble", "DocumentRefused"}, said
    assert len(said) == 4
