"""Bundles: judged offline by their own facts; whatever is changed or lacking is never a yes."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hansa.client.bundles import BundleFile, build_bundle
from hansa.client.receipts import NOTHING, encode_file
from hansa.client.verdict import Verdict
from hansa.identity.report import Policy
from hansa.ledger.genesis import compute_genesis_changes
from hansa.ledger.model import compute_state_key
from hansa.ledger.state import MemoryState
from tests.client.sealing import NOW as CLOCK
from tests.client.sealing import League, raw, verify_receipt
from tests.identity.world import DAY, LIST, NOW, SCHEMA, UNIVERSITY, World, build_status, build_vc

STATUS = compute_state_key("credentials", "status", (UNIVERSITY.did, LIST, "0000007"))
KEYS = (
    compute_state_key("accounts", "account", (UNIVERSITY.did,)),
    compute_state_key("schemas", "schema", (SCHEMA,)),
    compute_state_key("accreditations", "accreditation", ("attest",)),
    compute_state_key("accreditations", "accreditation", ("root",)),
    compute_state_key("credentials", "status_list", (UNIVERSITY.did, LIST)),
    STATUS,
)


def seal_world(world: World) -> League:
    """A league whose state has the world's records, sealed a little before NOW."""
    league = League("ada")
    chain = league.chain
    changes = dict(compute_genesis_changes(chain.genesis, chain.registry))
    changes.update((key.encode(), value) for key, value in world.records.items())
    chain.state = MemoryState()
    chain.state.apply_genesis(tuple(sorted(changes.items())), chain.time_ms)
    chain.block(step_ms=NOW - 1_000 - chain.time_ms)
    return league


def bundle(league: League, document: bytes) -> BundleFile:
    state = league.chain.state
    facts = [(k, state.get(k), state.tree.prove(k, league.chain.height)) for k in KEYS]
    return build_bundle(league.seal(), facts, document.decode())


@pytest.fixture(scope="module")
def league() -> League:
    return seal_world(World())


def judge(league: League, file: BundleFile, **policy: Any) -> Verdict:
    return verify_receipt(encode_file(file), league.trust(), policy=Policy(**policy))


def test_a_bundle_is_judged_by_its_own_facts(league: League) -> None:
    verdict = judge(league, bundle(league, build_vc()))
    assert (verdict.outcome, verdict.kind) == ("yes", "bundle")
    assert verdict.content["claims"] == [{"degree": "MSc", "name": "Ada"}]
    assert "6 fact(s)" in next(each.text for each in verdict.steps if each.name == "facts")
    assert CLOCK.ms == NOW


def test_without_a_trust_root_it_is_never_a_yes(league: League) -> None:
    data = encode_file(bundle(league, build_vc()))
    assert verify_receipt(data, None).outcome == "could_not_judge"
    assert verify_receipt(data, League("another").trust()).outcome == "no"


def test_a_revoked_credential_is_no_and_its_absence_cannot_be_feigned() -> None:
    world = World()
    world.put("credentials", build_status(("revoked", NOW - DAY, None)))
    revoked = seal_world(world)
    file = bundle(revoked, build_vc())
    verdict = judge(revoked, file)
    assert verdict.outcome == "no"
    assert any(each.text.startswith("revoked:") for each in verdict.steps)
    feigned = replace(file, facts=(*file.facts[:-1], replace(file.facts[-1], record=NOTHING)))
    assert judge(revoked, feigned).outcome == "no"
    silent = replace(file, facts=file.facts[:-1])
    assert judge(revoked, silent).outcome == "could_not_judge"


def test_each_fact_that_lacks_leaves_it_unjudged(league: League) -> None:
    file = bundle(league, build_vc())
    for number in range(len(file.facts)):
        less = replace(file, facts=(*file.facts[:number], *file.facts[number + 1 :]))
        assert judge(league, less).outcome == "could_not_judge", number


def test_invalid_facts(league: League) -> None:
    file = bundle(league, build_vc())
    first, second, *rest = file.facts
    other = msgspec.json.decode(first.record)
    changed = raw({**other, "admin": False})
    for facts in (
        (replace(first, record=changed), second, *rest),
        (replace(first, key=second.key), *rest),
        (replace(first, proof=second.proof), second, *rest),
        (first, first, *rest),
        (replace(first, key="accounts/account/ä"), second, *rest),
        (replace(first, record=NOTHING), second, *rest),
    ):
        assert judge(league, replace(file, facts=tuple(facts))).outcome == "no"
    assert judge(league, replace(file, height=file.height - 1)).outcome == "no"
    assert judge(league, replace(file, document="")).outcome == "no"


def test_old_facts_are_stale_unless_the_verifier_allows_their_age(league: League) -> None:
    file = bundle(league, build_vc())
    later = replace_clock(2 * DAY)
    data, root = encode_file(file), league.trust()
    assert verify_receipt(data, root, now=later).outcome == "could_not_judge"
    patient = Policy(max_age_ms=None)
    assert verify_receipt(data, root, now=later, policy=patient).outcome == "yes"
    assert verify_receipt(data, root, now=later, at_ms=NOW).outcome == "yes"


def replace_clock(later_ms: int) -> Any:
    return type(CLOCK).from_ms(CLOCK.ms + later_ms)


def test_one_changed_byte_is_never_a_yes(league: League) -> None:
    data, root = encode_file(bundle(league, build_vc())), league.trust()
    for place in range(0, len(data), 11):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert verify_receipt(changed, root).outcome != "yes", place
