"""What `hansa bench identity` measures: a small world of records, and work upon it, in memory.

Counts processor time of this thread only, so that a busy machine disturbs it little.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from hansa.cli.bench.peers import BenchFault
from hansa.client.credentials import SALT_BYTES, Order, issue_sd_jwt, issue_vc
from hansa.client.evidence import Item, build_file, build_message
from hansa.client.facts import build_sources, build_status_uri
from hansa.client.keys import Signer, generate_signer
from hansa.contracts.accreditations.model import Accreditation
from hansa.contracts.credentials.model import StatusList
from hansa.contracts.schemas.model import Schema
from hansa.crypto.commitments import compute_commitment
from hansa.crypto.hashing import sha256
from hansa.crypto.signatures import verify_signature
from hansa.encoding.canonical import encode_canonical
from hansa.identity.bitstring_status import encode_bitstring
from hansa.identity.json_schema import DIALECT
from hansa.identity.links import Level, Scope, StandingFrom
from hansa.identity.report import Policy, Report, Sources
from hansa.identity.token_status import encode_token_list
from hansa.identity.verify import verify
from hansa.ledger.model import Record, compute_state_key
from hansa.ledger.system import Account, Key, StandingSince

START_MS: Final = 1_795_000_000_000
NOW_MS: Final = START_MS + 1_000_000
LIST: Final = "degrees"
MILLION: Final = 1_000_000
SET_INDEXES: Final = 1_000
_TEXT: Final = encode_canonical(
    {
        "$schema": DIALECT,
        "type": "object",
        "properties": {"name": {"type": "string"}, "degree": {"enum": ["BSc", "MSc"]}},
        "required": ["name", "degree"],
        "additionalProperties": False,
    }
)
_CLAIMS: Final = {"name": "Ada Lovelace", "degree": "MSc"}


class Rate(msgspec.Struct, frozen=True):
    """Best of the rounds, on one core. share: of the raw rate of the same suite and run."""

    suite: str
    work: str
    per_second: float
    share: float | None = None


class Lists(msgspec.Struct, frozen=True):
    """Seconds to build a list of a million entries with a thousand set, and its size."""

    form: str
    seconds: float
    bytes: int


def measure_rate(work: Callable[[], object], count: int, rounds: int) -> float:
    """Times a second of processor time: the best round."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.thread_time()
        for _turn in range(count):
            work()
        best = min(best, (time.thread_time() - begin) / count)
    return 1 / best


def measure_suite(alg: str, count: int, rounds: int) -> list[Rate]:
    """Raw signatures, then credentials of the same key. Raises BenchFault when a yes is no yes."""
    signer = generate_signer("issuer", alg=alg)
    holder = generate_signer("holder")
    sources = _build_sources(signer)
    order = _build_order(signer.account, holder.account)
    text = b"x" * 64
    signature = signer.private.sign(text)
    public = signer.private.public
    salts = [bytes([number]) * SALT_BYTES for number in range(1, 1 + len(_CLAIMS))]
    key = holder.private.public
    vc = issue_vc(order, [signer], NOW_MS)
    sd = issue_sd_jwt(order, signer, holder=key, salts=salts, now_ms=NOW_MS).encode()
    for document in (vc, sd):
        report = _verify(document, sources)
        if report.outcome != "yes":
            raise BenchFault(f"{alg}: {[c for c in report.checks if c.outcome != 'passed']}")
    works: tuple[tuple[str, Callable[[], object], str], ...] = (
        ("raw sign", lambda: signer.private.sign(text), ""),
        ("raw verify", lambda: verify_signature(public, text, signature), ""),
        ("issue VC 2.0", lambda: issue_vc(order, [signer], NOW_MS), "raw sign"),
        ("verify VC 2.0", lambda: _verify(vc, sources), "raw verify"),
        (
            "issue SD-JWT VC",
            lambda: issue_sd_jwt(order, signer, holder=key, salts=salts, now_ms=NOW_MS),
            "raw sign",
        ),
        ("verify SD-JWT VC", lambda: _verify(sd, sources), "raw verify"),
    )
    found: dict[str, Rate] = {}
    for name, work, beside in works:
        rate = measure_rate(work, count, rounds)
        share = rate / found[beside].per_second if beside else None
        found[name] = Rate(alg, name, rate, share)
    return list(found.values())


def measure_lists() -> list[Lists]:
    """Both forms of a status list of a million entries."""
    values = {
        int.from_bytes(sha256(number.to_bytes(4, "big"))[:8], "big") % MILLION: 1
        for number in range(SET_INDEXES)
    }
    found = []
    begin = time.thread_time()
    bitstring = encode_bitstring(MILLION, values)
    found.append(Lists("W3C bitstring", time.thread_time() - begin, len(bitstring)))
    begin = time.thread_time()
    token = encode_token_list(MILLION, values, bits=2)
    found.append(Lists("IETF token list", time.thread_time() - begin, len(token["lst"])))
    return found


def measure_evidence(items: int, rounds: int) -> Rate:
    """Documents of 1 kB committed to under one root: the file and the message, as `hansa evidence
    add` makes them. The ledger then executes one message.
    """
    contents = [number.to_bytes(8, "big") * 128 for number in range(items)]
    salts = [number.to_bytes(32, "big") for number in range(items)]

    def work() -> None:
        made = [
            Item(name="f", salt=salt, size=len(content), value=compute_commitment(content, salt))
            for content, salt in zip(contents, salts, strict=True)
        ]
        build_message(build_file("bench", "did:hansa:" + "a" * 32, made))

    return Rate("", "evidence items in bulk", measure_rate(work, 1, rounds) * items)


def _verify(document: bytes, sources: Sources) -> Report:
    return verify(document, sources=sources, policy=Policy(), at_ms=NOW_MS)


def _build_order(issuer: str, holder: str) -> Order:
    return Order(
        issuer=issuer,
        claims=_CLAIMS,
        subject=holder,
        types=("Degree",),
        schema=sha256(_TEXT).hex(),
        accreditation="attest",
        status=(build_status_uri("https://gate.example", issuer, LIST), 7, ("revocation",)),
        valid_from_ms=START_MS,
    )


def _build_sources(signer: Signer) -> Sources:
    """Account, schema, two accreditations and a status list, as a bundle or a node gives them."""
    did = signer.account
    key = Key(
        id="k1",
        public=signer.private.public,
        purposes=("assert",),
        since=0,
        since_ms=START_MS,
    )
    records: tuple[tuple[str, Record], ...] = (
        (
            "accounts",
            Account(
                did=did,
                member=did,
                kind="member",
                keys=(key,),
                standing=(StandingSince(since=0, standing="good"),),
            ),
        ),
        (
            "schemas",
            Schema(
                id=sha256(_TEXT).hex(),
                name="degree",
                version="1.0.0",
                document=_TEXT.decode(),
                owner=did,
                published_ms=START_MS,
            ),
        ),
        ("accreditations", _build_link("root", "", "governance", did, "*")),
        ("accreditations", _build_link("attest", "root", did, did, "degree:1")),
        (
            "credentials",
            StatusList(
                issuer=did,
                list=LIST,
                size=MILLION,
                purposes=("revocation",),
                opened_ms=START_MS,
                opened_by=did,
            ),
        ),
    )
    facts = {
        compute_state_key(app, each.KIND, each.key()).decode(): encode_canonical(each)
        for app, each in records
    }
    return build_sources(facts.get, height=1, known_ms=NOW_MS)


def _build_link(level: Level, parent: str, by: str, subject: str, schema: str) -> Accreditation:
    return Accreditation(
        id=level,
        framework="education",
        level=level,
        parent=parent,
        accreditor=by,
        subject=subject,
        scope=(Scope((schema,), ("CN",)),),
        since_ms=START_MS,
        until_ms=None,
        basis="law",
        document="",
        standing=(StandingFrom(START_MS, "active", by),),
    )
