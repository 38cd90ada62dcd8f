"""How a bundle comes about: what `verify` asks for is fetched, proved together, until it has all.

Asks a gateway by state keys only; the document itself stays here.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from hansa.client.bundles import FACTS_MAX, BundleFile
from hansa.client.facts import RECOGNITIONS, build_sources
from hansa.client.faults import ClientError
from hansa.client.gateway import Gateway
from hansa.encoding.json_faults import NOT_JSON
from hansa.identity.report import Policy, Report
from hansa.identity.resolved import Unresolvable
from hansa.identity.verify import verify

# Account, schema, status, then a chain of eight links, each named by the one below it.
ROUNDS_MAX: Final = 16
PAGE: Final = 200
_decoder = msgspec.json.Decoder(BundleFile)


class NoBundle(ClientError):
    """The facts of a document cannot be collected."""

    CODE = "client.bundle"


class _Collector:
    """Reads the facts it has, and notes those it lacks."""

    def __init__(self, facts: dict[str, bytes | None]) -> None:
        self.facts = facts
        self.missing: dict[str, None] = {}

    def read(self, key: str) -> bytes | None:
        if key not in self.facts:
            self.missing[key] = None
            raise Unresolvable(f"{key} was not fetched")
        return self.facts[key]


def collect_bundle(
    gateway: Gateway, document: bytes, policy: Policy, now_ms: int, *, trusted: int = 0
) -> BundleFile | None:
    """The document with all facts that judge it; None when it asks for no fact of the ledger.

    Nothing of it is believed here: `verify_receipt` judges it. Raises NoBundle, Refused.
    """
    keys = _list_recognitions(gateway, policy.jurisdiction)
    bundle: BundleFile | None = None
    for _round in range(ROUNDS_MAX):
        facts = {} if bundle is None else _read(bundle)
        collector = _Collector(facts)
        _judge(document, policy, now_ms, collector, bundle)
        if not collector.missing:
            if bundle is None:
                return None
            return msgspec.structs.replace(bundle, document=_decode(document))
        keys = list(dict.fromkeys((*keys, *collector.missing)))
        if len(keys) > FACTS_MAX:
            break
        bundle = _fetch(gateway, keys, trusted)
    raise NoBundle("the document asks for more facts than a bundle holds", "present less of it")


def _judge(
    document: bytes,
    policy: Policy,
    now_ms: int,
    collector: _Collector,
    bundle: BundleFile | None,
) -> Report:
    found = [
        value for key, value in collector.facts.items() if key.startswith(RECOGNITIONS) and value
    ]
    sources = build_sources(
        collector.read,
        height=0 if bundle is None else bundle.height,
        known_ms=now_ms if bundle is None else bundle.known_ms,
        recognitions=found,
    )
    return verify(document, sources=sources, policy=policy, at_ms=now_ms)


def _fetch(gateway: Gateway, keys: Sequence[str], trusted: int) -> BundleFile:
    data = gateway.facts(keys, trusted=trusted)
    try:
        return _decoder.decode(data)
    except NOT_JSON as error:
        raise NoBundle("the gateway answered with no facts", "is it of this release?") from error


def _read(bundle: BundleFile) -> dict[str, bytes | None]:
    return {
        fact.key: None if bytes(fact.record) == b"null" else bytes(fact.record)
        for fact in bundle.facts
    }


def _list_recognitions(gateway: Gateway, jurisdiction: str) -> list[str]:
    """Keys of what a jurisdiction recognises; none where the verifier names none."""
    keys: list[str] = []
    after: str | None = None
    while jurisdiction:
        page = gateway.records(
            "accreditations",
            "recognition",
            filters={"prefix": jurisdiction},
            limit=PAGE,
            after=after,
        )
        keys.extend(f"{RECOGNITIONS}{each['relying']}/{each['id']}" for each in page.items)
        after = page.next
        if after is None:
            break
    return keys


def _decode(document: bytes) -> str:
    try:
        return document.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoBundle("the document is not UTF-8", "is it the right file?") from error
