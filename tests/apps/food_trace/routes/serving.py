"""A league that serves the EPCIS door on a real port: node, read model, service key, clients."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from hansa.api.application import make_app
from hansa.appkit.application import Application
from hansa.catalog import build_registry, load_applications
from hansa.client.keys import Signer
from hansa.client.service import May, ServiceFolder
from hansa.client.sessions import sign_session_statement
from hansa.client.transactions import Draft, build_payload, sign_payload
from hansa.contracts.accounts.keys import compute_possession_statement
from hansa.contracts.accounts.model import CloseAccount, OpenAccount
from hansa.encoding.text import encode_base64url
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
from hansa.node.home import create_home
from hansa.node.ledger_node import LedgerNode
from hansa.testing.chain import Actor, make_key
from tests.api.serving import serve_gateway
from tests.apps.stage import build_genesis

CHAIN = "epcis-1"
APP = "food_trace"
PLACES = {"farm": "CN", "retailer": "HK", "regulator": "CN", "outsider": "MO"}
ROLES = "farm slaughterhouse processor carrier cold_store wholesaler retailer laboratory".split()
CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
PREFIX = "9521000"
_started = time.time()


def make_genesis(actors: dict[str, Actor], applications: tuple[Application, ...]) -> Genesis:
    """The farm may do everything, the retailer sell, the regulator of CN watch."""
    grants = [(APP, role, "farm", "CN") for role in ROLES]
    grants += [(APP, "retailer", "retailer", "HK"), (APP, "regulator", "regulator", "CN")]
    contracts = build_genesis(
        actors, PLACES, grants, voter="outsider", sponsors={"citizen": "farm"}
    )
    return Genesis(
        activations=tuple(
            GenesisActivation(application=app.name, version=app.contract.version, digest="test")
            for app in applications
        ),
        chain=CHAIN,
        contracts=contracts,
        kind="hansa.genesis/1",
        time_ms=int(_started * 1000) - 86_400_000,
        validators=(GenesisValidator(key=make_key("validator").public, power=10),),
    )


class Served:
    """A running node with its gateway; opened again on the same folder it goes on."""

    def __init__(self, home: Path, deliver_to: tuple[str, ...] = (), **more: Any) -> None:
        """`more`: what else the gateway is made with."""
        self.home = home
        self.applications = load_applications()
        self.registry = build_registry()
        self.actors = {name: Actor(name) for name in (*PLACES, "citizen")}
        self.genesis = make_genesis(self.actors, self.applications)
        if not home.exists():
            create_home(home, self.genesis, make_key("validator"), self.registry)
        self.node = LedgerNode.open(home, self.registry)
        url = f"sqlite:///{home}/index.sqlite"
        self.index = Index.open(url, Shape(self.applications), CHAIN)
        self.follower = Follower(
            self.index, self.node, lambda: compute_genesis_changes(self.genesis, self.registry)
        )
        self.follower.start()
        self.app = make_app(
            self.node, self.index, follower=self.follower, home=home, deliver_to=deliver_to, **more
        )
        self.service = ServiceFolder(home)
        self.url = ""

    def close(self) -> None:
        self.follower.stop()
        self.node.close()
        self.index.close()

    def commit(self, name: str, application: str, message: Message) -> str:
        """Sign by an actor's own key, wait until it can be read; its code."""
        actor = self.actors[name]
        payload = build_payload(
            chain=CHAIN,
            expiry=self.node.height + 1_000,
            drafts=[Draft(application, message)],
            signers=[actor.kid],
        )
        identity = self.node.submit(sign_payload(payload, [(actor.kid, actor.key)]))
        found = self.node.wait(identity, 30)
        assert found.height is not None and found.result is not None
        assert self.index.wait_height(found.height, 30)
        return found.result.messages[0].code

    def make_service_key(self, member: str = "farm", scope: str = APP) -> Signer:
        """As `hansa service make food-trace --as MEMBER`; `scope`: what it may really act for."""
        found = self.service.key(APP)
        if found is not None:
            return found
        actor = Actor(f"service of {member}")
        signer = Signer(APP, actor.kid, actor.key)
        self.service.ring.store(signer)
        key_id = signer.kid.partition("#")[2]
        statement = compute_possession_statement(
            chain=CHAIN,
            account=signer.account,
            member=self.actors[member].did,
            key_id=key_id,
            key=signer.private.public,
        )
        message = OpenAccount(
            kind="service",
            key_id=key_id,
            key=signer.private.public,
            purposes=("service",),
            scope=(scope,),
            possession=encode_base64url(signer.private.sign(statement)),
        )
        assert self.commit(member, "accounts", message) == "ok"
        return signer

    def close_service_account(self, signer: Signer, member: str = "farm") -> None:
        message = CloseAccount(account=signer.account, reason="service_key_revoked")
        assert self.commit(member, "accounts", message) == "ok"

    def issue(
        self, label: str, may: May = "capture", lasts_ms: int = 3_600_000, application: str = APP
    ) -> str:
        """A client's token."""
        now = time.time_ns() // 1_000_000
        return self.service.issue(label, application, may, now_ms=now, lasts_ms=lasts_ms)[0]

    def sign_in(self, name: str) -> str:
        """A session's token."""
        actor = self.actors[name]
        with httpx.Client(base_url=self.url, timeout=60) as client:
            asked = client.post("/v1/sessions/challenge", json={"account": actor.did}).json()
            statement = sign_session_statement(
                account=actor.did,
                chain=CHAIN,
                challenge=asked["challenge"],
                kid=actor.kid,
                key=actor.key,
            )
            return str(client.post("/v1/sessions", content=statement).json()["token"])

    def client(self, token: str = "") -> httpx.Client:
        """A client of the EPCIS door."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"{self.url}/food-trace/epcis", headers=headers, timeout=60)


@contextmanager
def serve(home: Path, deliver_to: tuple[str, ...] = (), **more: Any) -> Iterator[Served]:
    """The league on a free port of the loopback interface."""
    league = Served(home, deliver_to, **more)
    try:
        with serve_gateway(league.app) as league.url:
            yield league
    finally:
        league.close()


def wait_job(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """The capture job of a 202, when it has ended."""
    assert answer.status_code == 202, answer.text
    path = "/capture/" + answer.headers["location"].rpartition("/")[2]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        job: dict[str, Any] = client.get(path).json()
        if not job["running"]:
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def make_event(number: int, **fields: Any) -> dict[str, Any]:
    """An ObjectEvent that commissions one object."""
    moment = datetime.fromtimestamp(_started - 3600 + number / 1000, UTC)
    event = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        "eventTime": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventTimeZoneOffset": "+08:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "epcList": [f"urn:epc:id:sgtin:{PREFIX}.000001.{number}"],
        "readPoint": {"id": "urn:epc:id:sgln:9521000.00001.0"},
    }
    event.update(fields)
    return {name: value for name, value in event.items() if value is not None}


def make_document(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An EPCISDocument."""
    return {
        "@context": [CONTEXT, {"ex": "http://ns.example.com/epcis/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-01T00:00:00Z",
        "epcisBody": {"eventList": list(events)},
        **more,
    }


def read_events(answer: httpx.Response) -> list[dict[str, Any]]:
    """Events of an EPCISQueryDocument."""
    assert answer.status_code == 200, answer.text
    body = json.loads(answer.content)
    events: list[dict[str, Any]] = body["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return events
