"""The clinic's league (tests.contracts.clinic) on a real node, with a gateway that hands out."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from hansa.api.application import make_app
from hansa.catalog import build_registry, load_applications
from hansa.client.sessions import sign_session_statement
from hansa.client.transactions import Draft, build_payload, sign_payload
from hansa.contracts.consents.model import DataGrant, DeclareHolding
from hansa.encoding.text import encode_base64url
from hansa.index.follower import Follower
from hansa.index.shape import Shape
from hansa.index.store import Index
from hansa.ledger.genesis import Genesis, GenesisActivation, compute_genesis_changes
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.ledger.state import get_record
from hansa.node.home import create_home
from hansa.node.ledger_node import LedgerNode
from hansa.testing.chain import Actor, make_key
from hansa.vault.exchange import Shelf
from hansa.vault.sealing import OpeningKey
from hansa.vault.vault import Vault
from tests.api.serving import serve_gateway
from tests.contracts.clinic import (
    BANK,
    BLOOD,
    CLINIC,
    NAME,
    NURSE,
    PAT,
    found_clinic,
    give,
    list_first_acts,
    read,
)

CONTENTS = {NAME: "陳小明".encode(), BLOOD: b"blood group 0 Rh +"}
KEY = OpeningKey.generate()
# The same in every process of a test.
KEY_OF_TEST = OpeningKey("X25519", bytes(range(32)))
HOUR_MS = 3_600_000


def build_genesis() -> Genesis:
    """Yesterday's, for the contracts of this release."""
    return msgspec.structs.replace(
        found_clinic().genesis,
        time_ms=int(time.time() * 1000) - 86_400_000,
        activations=tuple(
            GenesisActivation(application=name, version=contract.version, digest="test")
            for name, contract in build_registry().latest.items()
        ),
    )


class ServedClinic:
    """A running node with read model and gateway; the clinic's vault lies beside it."""

    def __init__(self, folder: Path) -> None:
        self.registry = build_registry()
        self.home = folder / "home"
        is_new = not self.home.exists()
        if is_new:
            create_home(self.home, build_genesis(), make_key("validator"), self.registry)
        self.node = LedgerNode.open(self.home, self.registry)
        genesis = self.node.genesis
        self.index = Index.open(
            f"sqlite:///{folder}/index.sqlite", Shape(load_applications()), self.node.chain
        )
        self.follower = Follower(
            self.index, self.node, lambda: compute_genesis_changes(genesis, self.registry)
        )
        self.follower.start()
        self.late_ms = 0
        (folder / "vault").mkdir(exist_ok=True)
        self.vault = Vault.open_or_create(folder / "vault" / CLINIC.did.rpartition(":")[2])
        self.shelf = Shelf(self.vault)
        self.app = make_app(
            self.node,
            self.index,
            follower=self.follower,
            genesis_digest="ab" * 32,
            clock=self.clock,
            vaults=folder / "vault",
        )
        self.url = ""
        if is_new:
            self.set_up()

    def clock(self) -> int:
        """This machine's, `late_ms` later."""
        return time.time_ns() // 1_000_000 + self.late_ms

    def set_up(self) -> None:
        """Accounts, roles, and what the clinic holds."""
        for actor, application, message in list_first_acts():
            self.commit(actor, message, app=application)
        for field in CONTENTS:
            self.hold(field)

    def hold(self, field: str) -> str:
        """Put a content into the vault, place it and declare it; its commitment."""
        commitment = self.shelf.place(self.vault.put(CONTENTS.get(field, field.encode())))
        self.commit(NURSE, DeclareHolding(subject=PAT.did, field=field, commitment=commitment))
        return commitment

    def close(self) -> None:
        """Stop everything."""
        self.follower.stop()
        self.node.close()
        self.index.close()

    def sign(self, actor: Actor, message: Message, app: str = "consents") -> bytes:
        """Bytes of a transaction with this message."""
        payload = build_payload(
            chain=self.node.chain,
            expiry=self.node.height + 1_000,
            drafts=[Draft(app, message)],
            signers=[actor.kid],
            mode="independent",
            unique=secrets.token_bytes(16),
        )
        return sign_payload(payload, [(actor.kid, actor.key)])

    def send(self, actor: Actor, message: Message, app: str = "consents") -> tuple[str, list[Any]]:
        """The code that a message came to, and its events; it can be read everywhere then."""
        found = self.node.wait(self.node.submit(self.sign(actor, message, app)), 30)
        assert found.state == "committed" and found.height is not None and found.result is not None
        assert self.index.wait_height(found.height, 30)
        (result,) = found.result.messages
        return result.code, [msgspec.json.decode(event.body) for event in result.events]

    def commit(self, actor: Actor, message: Message, app: str = "consents") -> list[Any]:
        """As `send`, for what must be accepted; its events."""
        code, events = self.send(actor, message, app)
        assert code == OK, code
        return events

    def give(self, **changes: Any) -> str:
        """A grant of Pat's to the bank; its id."""
        until_ms = self.node.state.time_ms + 24 * HOUR_MS
        (event, *_) = self.commit(PAT, give(**{"until_ms": until_ms, **changes}))
        return str(event["grant"])

    def read(self, grant: str, **changes: Any) -> int:
        """The bank's access to the name; its number."""
        key = {"seal_alg": KEY.alg, "seal_key": encode_base64url(KEY.public)}
        (event, *_) = self.commit(BANK, read(grant, **{**key, **changes}))
        return int(event["number"])

    def encode_key(self, key: OpeningKey) -> str:
        """Its public part as the ledger takes it."""
        return encode_base64url(key.public)

    def get_grant(self, identity: str) -> DataGrant:
        """A grant as it stands."""
        found = get_record(self.node.state, "consents", DataGrant, identity)
        assert found is not None
        return found

    @contextmanager
    def client(self, actor: Actor | None = None) -> Iterator[httpx.Client]:
        """An HTTP client, signed in as `actor`."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            if actor is not None:
                self.sign_in(client, actor)
            yield client

    def sign_in(self, client: httpx.Client, actor: Actor) -> None:
        """A session for the actor."""
        asked = client.post("/v1/sessions/challenge", json={"account": actor.did}).json()
        statement = sign_session_statement(
            account=actor.did,
            chain=asked["chain"],
            challenge=asked["challenge"],
            kid=actor.kid,
            key=actor.key,
        )
        answer = client.post("/v1/sessions", content=statement)
        assert answer.status_code == 201, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"


@contextmanager
def serve_clinic(folder: Path) -> Iterator[ServedClinic]:
    """The clinic's league; its gateway listens on a free port of the loopback interface."""
    clinic = ServedClinic(folder)
    try:
        with serve_gateway(clinic.app) as clinic.url:
            yield clinic
    finally:
        clinic.close()


__all__ = ["CONTENTS", "HOUR_MS", "KEY", "KEY_OF_TEST", "ServedClinic", "serve_clinic"]
