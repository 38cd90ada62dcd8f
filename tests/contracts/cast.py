"""Who plays in the machine, with which keys, and how they sign with what is valid now."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

from hansa.contracts.accounts.model import AddKey, OpenAccount, ReplaceKey
from hansa.crypto.keys import PrivateKey
from hansa.ledger.contracts import Contract
from hansa.ledger.state import MemoryState, decode_record
from hansa.ledger.system import Account, find_key
from hansa.testing.chain import START_MS, Actor, Chain, make_key
from tests.contracts import land
from tests.contracts.league import build_chain, build_open_account, possess

ALMA, BRUNO, CHEN = Actor("alma"), Actor("bruno"), Actor("chen")
BANK, COURT = Actor("bank"), Actor("court")
FOUNDERS = (ALMA, BRUNO, CHEN)
MEMBERS = (*FOUNDERS, BANK, COURT)
CANDIDATES = (Actor("dora"), Actor("emil"))
STAFF = tuple(Actor(f"staff {number}") for number in range(3))
CITIZENS = (Actor("citizen 0"), Actor("citizen 1"))
SERVICE = Actor("service")
PEOPLE = (*STAFF, *CITIZENS, SERVICE)
EVERYONE = (*MEMBERS, *CANDIDATES, *PEOPLE)
KEY_NUMBERS = range(1, 7)
M = TypeVar("M", OpenAccount, AddKey, ReplaceKey)


def name_key(actor: Actor, number: int) -> str:
    """Test name of an actor's n-th key; the first is its inception key."""
    return actor.name if number == 1 else f"{actor.name}/{number}"


RING: dict[str, PrivateKey] = {
    key.public.public: key
    for actor in EVERYONE
    for number in KEY_NUMBERS
    for key in (make_key(name_key(actor, number)),)
}
ACTORS = {actor.did: actor for actor in EVERYONE}


def build_cast_chain(contracts: tuple[Contract, ...] = (land.contract,)) -> Chain:
    """Votes 3, 2, 2; a bank and a court for land; Bruno is registry in the north; two people."""
    roles = (("holds", "bank", BANK, "land"), ("holds", "court", COURT, "-"))
    grants: list[dict[str, object]] = [
        {"application": app, "role": role, "holder": actor.did, "scope": scope}
        for app, role, actor, scope in roles
    ]
    grants.append(
        {
            "application": "land",
            "role": "registry",
            "holder": BRUNO.did,
            "scope": "north",
            "until_ms": START_MS + 60 * 86_400_000,
        }
    )
    chain = build_chain(
        *MEMBERS,
        parts={
            "permissions": {"grants": grants},
            "governance": {
                "weights": {ALMA.did: 3, BRUNO.did: 2, CHEN.did: 2},
                "parameters": [
                    {"application": "governance", "name": "activation_heights", "value": 1}
                ],
            },
            "quotas": {"allowances": {COURT.did: 2_000}},
        },
        contracts=contracts,
    )
    chain.submit(
        ALMA,
        "accounts",
        build_open_account(STAFF[0], ALMA, admin=True),
        build_open_account(CITIZENS[0], ALMA, kind="citizen"),
    )
    chain.submit(
        ALMA,
        "land",
        land.RegisterParcel(id="p0", owner=ALMA.did),
        land.RegisterParcel(id="p1", owner=CITIZENS[0].did),
    )
    return chain


def list_signing_keys(state: MemoryState, actor: Actor, height: int) -> list[tuple[str, str]]:
    """(kid, public text) of the actor's keys that act at `height`."""
    data = state.get(b"accounts/account/" + actor.did.encode())
    if data is None:
        return []
    account = decode_record(Account, data)
    return [
        (f"{actor.did}#{key.id}", key.public.public)
        for key in account.keys
        if find_key(account, key.id, height) and {"sign", "service"} & set(key.purposes)
    ]


def sign(chain: Chain, actors: Sequence[Actor], messages: Sequence[tuple[str, object]]) -> bytes:
    """Sign with a key that is valid at the next height, or with the first when there is none."""
    kids, keys = [], []
    for actor in actors:
        found = list_signing_keys(chain.state, actor, chain.height + 1)
        kid, public = found[-1] if found else (actor.kid, actor.key.public.public)
        kids.append(kid)
        keys.append(RING.get(public, actor.key))
    return chain.sign(list(actors), list(messages), kids=kids, keys=keys)  # type: ignore[arg-type]


def forge(message: M) -> M:
    """The message with a possession by somebody else's key."""
    return replace(message, possession=possess(make_key("mallory"), ALMA.did))
