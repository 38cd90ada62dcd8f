"""A university on a real node, whose gateway issues credentials to wallets and asks for them."""

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
from hansa.client.keys import Signer
from hansa.client.service import ServiceFolder
from hansa.client.sessions import sign_session_statement
from hansa.client.transactions import Draft, build_payload, sign_payload
from hansa.contracts.accounts.keys import compute_possession_statement
from hansa.contracts.accounts.model import AddKey
from hansa.contracts.credentials.model import OpenStatusList, SetStatus
from hansa.contracts.schemas.model import PublishSchema
from hansa.crypto.keys import PrivateKey
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.identity.json_schema import DIALECT
from hansa.index.follower import Follower
from hansa.index.shape import Shape
from hansa.index.store import Index
from hansa.ledger.genesis import Genesis, GenesisActivation, compute_genesis_changes
from hansa.ledger.model import Message
from hansa.ledger.receipts import OK
from hansa.node.home import create_home
from hansa.node.ledger_node import LedgerNode
from hansa.testing.chain import Actor, Chain, make_key
from tests.api.serving import serve_gateway

PUBLIC = "https://university.example"
UNIVERSITY, EMPLOYER = Actor("university"), Actor("employer")
# Staff of the university: one with the role `issuer`, one without; a graduate whom it sponsors.
REGISTRAR, PORTER, ADA = Actor("registrar"), Actor("porter"), Actor("ada")
ISSUING = make_key("issuing")
KID = f"{UNIVERSITY.did}#issue"
SCHEMA = {
    "$schema": DIALECT,
    "type": "object",
    "title": "Degree",
    "properties": {
        "name": {"type": "string"},
        "degree": {"enum": ["BSc", "MSc"]},
        "address": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
    "required": ["name", "degree"],
    "additionalProperties": False,
}
CLAIMS = {"name": "Ada Canary-7731", "degree": "MSc", "address": {"city": "Macao"}}
SD_JWT = "degree-1.0.0.dc+sd-jwt"
LDP = "degree-1.0.0.ldp_vc"
VCT = "https://university.example/degree"


def build_genesis() -> Genesis:
    """A minute ago: two members, the university's staff, a graduate whom it sponsors."""
    accounts = [
        (UNIVERSITY, UNIVERSITY, "member"),
        (EMPLOYER, EMPLOYER, "member"),
        (REGISTRAR, UNIVERSITY, "staff"),
        (PORTER, UNIVERSITY, "staff"),
        (ADA, UNIVERSITY, "citizen"),
    ]
    registry = build_registry()
    chain = Chain(
        registry,
        {
            "members": {
                "members": [
                    {"did": each.did, "name": each.name, "jurisdiction": "CN"}
                    for each in (UNIVERSITY, EMPLOYER)
                ]
            },
            "accounts": {
                "accounts": [
                    {"did": each.did, "member": of.did, "key": each.key.public, "kind": kind}
                    for each, of, kind in accounts
                ]
            },
            "permissions": {
                "grants": [
                    {"application": "credentials", "role": "issuer", "holder": each.did}
                    for each in (UNIVERSITY, REGISTRAR)
                ]
            },
        },
    )
    return msgspec.structs.replace(
        chain.genesis,
        time_ms=int(time.time() * 1000) - 60_000,
        activations=tuple(
            GenesisActivation(application=name, version=contract.version, digest="test")
            for name, contract in registry.latest.items()
        ),
    )


class University:
    """A running node with read model and gateway; `late_ms` moves the gateway's clock."""

    def __init__(self, folder: Path) -> None:
        registry = build_registry()
        self.home = folder / "home"
        create_home(self.home, build_genesis(), make_key("validator"), registry)
        self.put_key(KID, ISSUING)
        self.node = LedgerNode.open(self.home, registry)
        genesis = self.node.genesis
        self.index = Index.open(
            f"sqlite:///{folder}/index.sqlite", Shape(load_applications()), self.node.chain
        )
        self.follower = Follower(
            self.index, self.node, lambda: compute_genesis_changes(genesis, registry)
        )
        self.follower.start()
        self.late_ms = 0
        self.app = make_app(
            self.node,
            self.index,
            follower=self.follower,
            genesis_digest="ab" * 32,
            clock=self.clock,
            home=self.home,
            public=PUBLIC,
        )
        self.url = ""
        self.add_key(UNIVERSITY, KID, ISSUING)
        document = encode_canonical(SCHEMA).decode()
        self.commit("schemas", PublishSchema(
            name="degree", version="1.0.0", document=document, vct=VCT
        ))  # fmt: skip
        self.commit("credentials", OpenStatusList(issuer=UNIVERSITY.did, list="degrees", size=1000))

    def add_key(self, actor: Actor, kid: str, key: PrivateKey) -> None:
        """Give an account a key that issues."""
        key_id = kid.partition("#")[2]
        statement = compute_possession_statement(
            chain=self.node.chain,
            account=actor.did,
            member=UNIVERSITY.did,
            key_id=key_id,
            key=key.public,
        )
        message = AddKey(
            account=actor.did,
            key_id=key_id,
            key=key.public,
            purposes=("assert",),
            possession=encode_base64url(key.sign(statement)),
        )
        self.commit("accounts", message, actor)

    def put_key(self, kid: str, key: PrivateKey) -> None:
        """Give the gateway the key that it issues and asks by."""
        ring = ServiceFolder(self.home).ring
        ring.path("openid").unlink(missing_ok=True)
        ring.store(Signer("openid", kid, key))

    def clock(self) -> int:
        """This machine's, `late_ms` later."""
        return time.time_ns() // 1_000_000 + self.late_ms

    def close(self) -> None:
        """Stop everything."""
        self.follower.stop()
        self.node.close()
        self.index.close()

    def commit(self, app: str, message: Message, actor: Actor = UNIVERSITY) -> None:
        """Send a message that is accepted, until it can be read everywhere."""
        payload = build_payload(
            chain=self.node.chain,
            expiry=self.node.height + 1_000,
            drafts=[Draft(app, message)],
            signers=[actor.kid],
            mode="independent",
            unique=secrets.token_bytes(16),
        )
        data = sign_payload(payload, [(actor.kid, actor.key)])
        found = self.node.wait(self.node.submit(data), 30)
        assert found.state == "committed" and found.height is not None and found.result is not None
        assert [each.code for each in found.result.messages] == [OK], found.result.messages
        assert self.index.wait_height(found.height, 30)

    def revoke(self, index: int) -> None:
        """Revoke what stands under an index of the list."""
        self.commit(
            "credentials",
            SetStatus(
                issuer=UNIVERSITY.did,
                list="degrees",
                indexes=(index,),
                value="revoked",
                reason="test",
            ),
        )

    def post(self, actor: Actor | None, path: str, **members: Any) -> httpx.Response:
        """Ask as a clerk."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            if actor is not None:
                self.sign_in(client, actor)
            return client.post(path, json=members)

    def get(self, actor: Actor | None, path: str) -> httpx.Response:
        """Read as a clerk."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            if actor is not None:
                self.sign_in(client, actor)
            return client.get(path)

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

    def offer(self, actor: Actor = REGISTRAR, **members: Any) -> dict[str, Any]:
        """An offer by the registrar; of Ada's degree as SD-JWT VC unless told otherwise."""
        asked = {"configuration": SD_JWT, "claims": CLAIMS, **members}
        answer = self.post(actor, "/v1/openid/offers", **asked)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def see_offer(self, offer: dict[str, Any]) -> dict[str, Any]:
        """An offer as its clerk sees it."""
        return dict(self.get(REGISTRAR, f"/v1/openid/offers/{offer['id']}").json())

    def ask(self, query: dict[str, Any], **members: Any) -> dict[str, Any]:
        """A request by the porter; the university's own credentials need no accreditation here."""
        demands = {"need_accreditation": False, **members.pop("demands", {})}
        asked = {"dcql_query": query, "demands": demands, **members}
        answer = self.post(PORTER, "/v1/openid/requests", **asked)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def see_request(self, request: dict[str, Any]) -> dict[str, Any]:
        """A request as its clerk sees it."""
        return dict(self.get(PORTER, f"/v1/openid/requests/{request['id']}").json())


@contextmanager
def serve_university(folder: Path) -> Iterator[University]:
    """The university; its gateway listens on a free port of the loopback interface."""
    university = University(folder)
    try:
        with serve_gateway(university.app) as university.url:
            yield university
    finally:
        university.close()
