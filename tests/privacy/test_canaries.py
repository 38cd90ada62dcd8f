"""No personal datum leaves the vault (D8): planted names are looked for everywhere, in many
disguises.

Real commands issue a real document with canaries in every text that may be personal; then state,
blocks,
events, read model, logs and the API's answers are searched: as they are, encoded, hashed, salted or
not.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hansa.catalog import build_registry
from hansa.node.ledger_node import LedgerNode
from tests.cli.processes import EXAMPLES, Shell
from tests.cli.trade import Trade

pytestmark = pytest.mark.slow

CANARIES = {
    "name of a person": "Kanaria Vogelsang",
    "name in Chinese": "金絲雀先生",
    "street": "Kanarienweg 77",
    "telephone": "+47 555 01928",
    "mail address": "kanaria@vogelsang.example",
    "item": "Canary yellow incontinence pads",
    "account": "NO9386011117947",
    "note": "for Mrs Vogelsang, room 7",
}


def disguise(text: str) -> Iterator[tuple[str, bytes]]:
    """Forms in which a careless program would let a text out."""
    for spelling in {text, text.lower(), text.upper(), text.strip()}:
        for codec in ("utf-8", "utf-16-le", "utf-16-be"):
            raw = spelling.encode(codec)
            yield f"plain {codec}", raw
            yield "hex", raw.hex().encode()
            yield "escaped", spelling.encode("ascii", "backslashreplace")
            for shift in range(3):
                coded = base64.b64encode(b"\x00" * shift + raw)[4 if shift else 0 :]
                inner = coded[: len(coded) // 4 * 4 - 4]
                if len(inner) >= 8:
                    yield f"base64 {shift}", inner
                    yield f"base64url {shift}", inner.translate(bytes.maketrans(b"+/", b"-_"))
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b", "sha3_256"):
            digest = hashlib.new(name, spelling.encode()).digest()
            yield f"{name} raw", digest
            yield f"{name} hex", digest.hex().encode()
            yield f"{name} base64", base64.b64encode(digest).rstrip(b"=")
            yield f"{name} base64url", base64.urlsafe_b64encode(digest).rstrip(b"=")
        twice = hashlib.sha256(hashlib.sha256(spelling.encode()).digest()).digest()
        yield "sha256 twice", twice


def plant(document: str) -> str:
    """A published invoice with a canary in each text that may be about a person."""
    for tag, canary in (
        ("cbc:Note", "note"),
        ("cbc:StreetName", "street"),
        ("cbc:RegistrationName", "name of a person"),
        ("cbc:Telephone", "telephone"),
        ("cbc:ElectronicMail", "mail address"),
        ("cbc:Name", "item"),
        ("cbc:Description", "name in Chinese"),
    ):
        head, *rest = document.split(f"<{tag}>")
        document = head + "".join(
            f"<{tag}>{CANARIES[canary]}</{tag}>{part.split(f'</{tag}>', 1)[1]}" for part in rest
        )
    return document


def dump(league: Path) -> Iterator[tuple[str, bytes]]:
    """(where, bytes) of all that a node keeps or says, but the vault."""
    node = LedgerNode.open(league, build_registry())
    try:
        for key, value in node.state.scan(b"\x00", b"\xff", 1_000_000):
            yield "state", key + b" " + value
        first, last = node.heights()
        for height in range(max(first, 1), last + 1):
            block = node.block(height)
            yield "block", msgspec.json.encode(block)
            for transaction in block.transactions:
                for part in transaction.split(b"."):
                    yield "transaction", base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    finally:
        node.close()
    database = sqlite3.connect(league / "index.sqlite")
    tables = database.execute("select name from sqlite_master where type='table'").fetchall()
    for (table,) in tables:
        for row in database.execute(f'select * from "{table}"'):
            yield (
                f"index {table}",
                repr(row).encode()
                + b"".join(
                    value if isinstance(value, bytes) else str(value).encode() for value in row
                ),
            )
    for path in league.rglob("*"):
        inside_vault = "vault" in path.relative_to(league).as_posix()
        if path.is_file() and not inside_vault and path.suffix != ".xml":
            yield f"file {path.name}", path.read_bytes()


@pytest.fixture
def issued(tmp_path: Path) -> tuple[Path, bytes]:
    """A league that has issued a document full of canaries, and what its commands printed."""
    outside = Shell(tmp_path / "home", tmp_path)
    outside.ask("init", "bay")
    shell = Shell(tmp_path / "home", tmp_path / "bay")
    said = b""
    with outside.started(tmp_path / "bay"):
        trade = Trade(shell)
        trade.open()
        text = plant((EXAMPLES / "guide-example3.xml").read_text(encoding="utf-8"))
        paper = tmp_path / "bay" / "paper.xml"
        paper.write_text(text, encoding="utf-8")
        key = tmp_path / "person.key.json"
        shell.run("e-invoice", "pseudonym", str(key))
        lines = shell.ask(
            "e-invoice", "issue", "paper.xml", "--seller", "seller-a", "--buyer", "buyer",
            "--as", "seller-a",
        )  # fmt: skip
        assert lines[0]["state"] == "issued", lines
        for command in (
            ("e-invoice", "list", "invoice", "--as", "auditor", "--json"),
            ("tx", "show", lines[0]["transaction"], "--as", "seller-a", "--json"),
            ("receipt", lines[0]["transaction"], "-o", "receipt.json", "--as", "seller-a"),
        ):
            done = shell.run(*command)
            assert done.exit == 0, done
            said += (done.out + done.err).encode()
    return tmp_path / "bay", said


def test_canaries_are_nowhere_but_in_the_vault(issued: tuple[Path, bytes]) -> None:
    league, said = issued
    places = [*dump(league), ("commands", said)]
    assert {place for place, _bytes in places} >= {"state", "block", "transaction", "commands"}
    assert any(place.startswith("index ") for place, _bytes in places)
    everything = b"\n".join(data for _place, data in places)
    found = [
        (what, form)
        for what, text in CANARIES.items()
        for form, needle in disguise(text)
        if needle in everything
    ]
    assert found == []


def test_the_search_finds_what_is_there(issued: tuple[Path, bytes]) -> None:
    """The canary of the canaries: the invoice's number is on the ledger, so it must be found."""
    league, _said = issued
    everything = b"\n".join(data for _place, data in dump(league))
    forms = {form for form, needle in disguise("TOSL108") if needle in everything}
    assert "plain utf-8" in forms
    hidden = b"x" + base64.b64encode(b"ab" + CANARIES["street"].encode()) + b"x"
    assert any(needle in hidden for _form, needle in disguise(CANARIES["street"]))


def test_what_remains_after_erasure_cannot_be_linked_by_guessing(
    issued: tuple[Path, bytes],
) -> None:
    """Who guesses the very document cannot tell that it is the one behind the commitment (D8)."""
    league, _said = issued
    shell = Shell(league.parent / "home", league)
    document = (league / "paper.xml").read_bytes()
    (league / "paper.xml").unlink()
    entries = shell.ask("vault", "list", "--as", "seller-a")
    assert len(entries) == 1
    shell.ask("vault", "erase", entries[0]["entry"], "--yes", "--as", "seller-a")
    guesses = {
        digest
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b")
        for raw in (document, document.strip())
        for digest in (
            hashlib.new(name, raw).digest(),
            hashlib.new(name, raw).hexdigest().encode(),
            base64.urlsafe_b64encode(hashlib.new(name, raw).digest()).rstrip(b"="),
            base64.b64encode(hashlib.new(name, raw).digest()).rstrip(b"="),
        )
    }
    number = f"{Trade(shell).numbers['seller-a']}:TOSL108"
    guesses.add(hashlib.sha256(hashlib.sha256(document).digest() + number.encode()).digest())
    guesses |= {guess.hex().encode() for guess in guesses if len(guess) <= 64}
    places = [*dump(league)]
    for path in (league.parent / "home").rglob("*"):
        if path.is_file():
            places.append((f"home {path.name}", path.read_bytes()))
    for path in league.rglob("*"):
        if path.is_file():
            places.append((f"league {path.name}", path.read_bytes()))
    linked = [place for place, data in places if any(guess in data for guess in guesses)]
    assert linked == []
