"""Files fill forms: what an application reads of them converts to its message, bad ones say why."""

from pathlib import Path

import msgspec
import pytest

from hansa.appkit.application import Application
from hansa.appkit.files import FileRead, FileReader, build_file_route
from hansa.catalog import load_application, load_applications
from hansa.primitives.limits import MESSAGES_MAX

ROOT = Path(__file__).resolve().parents[2]
READERS = [(app, reader) for app in load_applications() for reader in app.files]
BAD = [
    b"",
    b"\x00",
    b"{",
    b"<a",
    b"<a>&b;</a>",
    b"PK\x03\x04zip",
    b"[" * 5_000,
    b"\xff\xfe",
    b"null",
]


@pytest.mark.parametrize(("app", "reader"), READERS, ids=lambda value: getattr(value, "name", ""))
def test_readers_are_of_messages_and_are_served(app: Application, reader: FileReader) -> None:
    assert reader.message in {message.__name__ for message in app.messages}
    assert reader.path in {route.path for route in app.doors.routes}


@pytest.mark.parametrize(("app", "reader"), READERS, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("data", BAD)
def test_bad_bytes_give_faults_and_no_bodies(
    app: Application, reader: FileReader, data: bytes
) -> None:
    found = reader.read(data)
    assert found.bodies == ()
    assert [fault for fault in found.faults if fault.flag == "fatal" and fault.text]


def test_an_invoice_gives_the_body_that_only_lacks_its_commitment() -> None:
    app = load_application("e_invoice")
    data = (ROOT / "examples" / "en16931" / "guide-example3.xml").read_bytes()
    (body,) = app.files[0].read(data).bodies
    assert body["content"]["commitment"] == ""
    message = next(each for each in app.messages if each.__name__ == app.files[0].message)
    assert msgspec.convert(body, message)


def test_more_than_a_transaction_takes_is_refused() -> None:
    class Desk:
        viewer = type("Viewer", (), {"is_stranger": False})

    many = FileRead(bodies=tuple({"n": n} for n in range(MESSAGES_MAX + 1)))
    route = build_file_route(FileReader("M", ".x", lambda _data: many))
    asking = type("Asking", (), {"body": b""})
    reply = route.run(Desk(), asking)  # type: ignore[arg-type]
    assert msgspec.json.decode(reply.body)["bodies"] == []
    assert msgspec.json.decode(reply.body)["faults"][0]["rule"] == "D4"
