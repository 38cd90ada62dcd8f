"""A league of parcel senders on a real node, its read model and its gateway on a real port."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from hansa.api.application import Gateway, make_app
from hansa.client.sessions import sign_session_statement
from hansa.client.transactions import Draft, build_payload, sign_payload
from hansa.crypto.signatures import PublicKey
from hansa.index.follower import Follower
from hansa.index.shape import Shape
from hansa.index.store import Index
from hansa.ledger.genesis import (
    Genesis,
    GenesisActivation,
    GenesisValidator,
    compute_genesis_changes,
)
from hansa.ledger.model import Message
from hansa.ledger.system import Account, Allowance, Grant, Key, Member, StandingSince
from hansa.node.home import create_home
from hansa.node.ledger_node import LedgerNode
from hansa.node.neighbours import AddressBook
from hansa.testing.chain import Actor, make_key
from tests.api.parcels import APPLICATIONS, REGISTRY, SYSTEM
from tests.api.serving import serve_gateway

CHAIN = "parcels-1"
# Yesterday: a trust root vouches for three years.
GENESIS_MS = int(time.time() * 1000) - 86_400_000
GOOD = (StandingSince(since=0, standing="good"),)
# Members: two senders in two places, a third who is party to nothing, inspectors who only read.
ADA, BEA, CAI = Actor("ada"), Actor("bea", alg="ES256"), Actor("cai")
# Ada's clerk, and a citizen whom Ada sponsors.
CLERK, CITIZEN = Actor("clerk"), Actor("citizen")
# Inspectors: of every place, of Hong Kong only, of Macao only.
CHIEF, INSPECTOR_HK, INSPECTOR_MO = Actor("chief"), Actor("hk"), Actor("mo")
MEMBERS = {ADA: "CN", BEA: "HK", CAI: "MO", CHIEF: "CN", INSPECTOR_HK: "HK", INSPECTOR_MO: "MO"}


def _account(actor: Actor, member: Actor, kind: str) -> Account:
    key = PublicKey(actor.key.public.alg, actor.key.public.public)
    return Account(
        did=actor.did,
        member=member.did,
        kind=kind,
        keys=(Key(id="k1", public=key, purposes=("sign", "authenticate"), since=0),),
        standing=GOOD,
    )


def _grant(actor: Actor, scope: str) -> Grant:
    return Grant(
        application="parcels",
        role="inspector",
        holder=actor.did,
        scope=scope,
        since_ms=0,
        granted_by="governance",
    )


def build_genesis() -> Genesis:
    """Members, accounts and grants of the test league."""
    members = [
        Member(did=actor.did, name=actor.name, jurisdiction=place, standing=GOOD)
        for actor, place in MEMBERS.items()
    ]
    accounts = [_account(actor, actor, "member") for actor in MEMBERS]
    accounts += [_account(CLERK, ADA, "staff"), _account(CITIZEN, ADA, "citizen")]
    grants = [_grant(CHIEF, "-"), _grant(INSPECTOR_HK, "HK"), _grant(INSPECTOR_MO, "MO")]
    allowances = [Allowance(member=actor.did, units=10**9) for actor in MEMBERS]
    by_contract = {
        "members": members,
        "accounts": accounts,
        "permissions": grants,
        "quotas": allowances,
    }
    return Genesis(
        activations=tuple(
            GenesisActivation(application=name, version=1, digest="test")
            for name in (*SYSTEM, "parcels")
        ),
        chain=CHAIN,
        contracts={
            name: {
                "records": [
                    {"kind": record.KIND, "value": msgspec.to_builtins(record)}
                    for record in records
                ]
            }
            for name, records in by_contract.items()
        },
        kind="hansa.genesis/1",
        time_ms=GENESIS_MS,
        validators=(GenesisValidator(key=make_key("validator").public, power=10),),
    )


class League:
    """A running node with read model and gateway; `url` when it is served on a port."""

    def __init__(self, folder: Path, database: str = "", book: AddressBook | None = None) -> None:
        genesis = build_genesis()
        if not folder.exists():
            create_home(folder, genesis, make_key("validator"), REGISTRY)
        self.node = LedgerNode.open(folder, REGISTRY)
        self.genesis = genesis
        url = database or f"sqlite:///{folder}/index.sqlite"
        self.index = Index.open(url, Shape(APPLICATIONS), CHAIN)
        self.follower = Follower(self.index, self.node, self.genesis_changes)
        self.follower.start()
        self.now_ms = 0
        self.app: Gateway = make_app(
            self.node,
            self.index,
            follower=self.follower,
            genesis_digest="ab" * 32,
            clock=self.clock,
            book=book,
        )
        self.url = ""

    def genesis_changes(self) -> Any:
        return compute_genesis_changes(self.genesis, REGISTRY)

    def clock(self) -> int:
        return self.now_ms or time.time_ns() // 1_000_000

    def close(self) -> None:
        self.follower.stop()
        self.node.close()
        self.index.close()

    def sign(self, actor: Actor, *messages: Message, **options: Any) -> bytes:
        payload = build_payload(
            chain=CHAIN,
            expiry=options.get("expiry", self.node.height + 1_000),
            drafts=[Draft(options.get("app", "parcels"), message) for message in messages],
            signers=[actor.kid, *(each.kid for each in options.get("also", ()))],
            mode=options.get("mode", "independent"),
            unique=secrets.token_bytes(16),
        )
        signers = [actor, *options.get("also", ())]
        return sign_payload(payload, [(each.kid, each.key) for each in signers])

    def commit(self, actor: Actor, *messages: Message, **options: Any) -> str:
        """Submit at the node and wait until it can be read everywhere."""
        identity = self.node.submit(self.sign(actor, *messages, **options))
        found = self.node.wait(identity, 30)
        assert found.state == "committed" and found.height is not None
        assert self.index.wait_height(found.height, 30)
        return identity

    def client(self, actor: Actor | None = None) -> httpx.Client:
        """An HTTP client, signed in as `actor`."""
        client = httpx.Client(base_url=self.url, timeout=60)
        if actor is not None:
            with httpx.Client(base_url=self.url, timeout=60) as other:
                client.headers["authorization"] = f"Bearer {self.sign_in(other, actor)}"
        return client

    def sign_statement(self, client: httpx.Client, actor: Actor) -> bytes:
        asked = client.post("/v1/sessions/challenge", json={"account": actor.did}).json()
        return sign_session_statement(
            account=actor.did,
            chain=asked["chain"],
            challenge=asked["challenge"],
            kid=actor.kid,
            key=actor.key,
        )

    def sign_in(self, client: httpx.Client, actor: Actor) -> str:
        answer = client.post("/v1/sessions", content=self.sign_statement(client, actor))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])


@contextmanager
def serve_league(
    folder: Path, database: str = "", book: AddressBook | None = None
) -> Iterator[League]:
    """A league whose gateway listens on a free port of the loopback interface."""
    league = League(folder, database, book)
    try:
        with serve_gateway(league.app) as league.url:
            yield league
    finally:
        league.close()
