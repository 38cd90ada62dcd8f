"""The validator set at the edge of a block: liveness, updates, evidence; genesis and its time."""

import pytest
from msgspec.structs import replace

from hansa.crypto.merkle import merkle_root
from hansa.crypto.signatures import PublicKey
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url
from hansa.ledger.blocks import Block, BlockResult, Misbehaviour, ValidatorUpdate
from hansa.ledger.context import DEADLINE
from hansa.ledger.contracts import Registry, find_missing
from hansa.ledger.execution import execute_block
from hansa.ledger.genesis import (
    GenesisValidator,
    InvalidGenesis,
    compute_genesis_changes,
    decode_genesis,
    encode_genesis,
)
from hansa.ledger.model import compute_state_key
from hansa.ledger.rejections import InvariantViolation
from hansa.ledger.state import Overlay, get_system
from hansa.ledger.system import (
    Activation,
    ActiveVersion,
    BlockRecord,
    LastSigned,
    Liveness,
    Validator,
    ValidatorState,
)
from hansa.ledger.validator_set import compute_validator_updates, forget_liveness
from hansa.primitives.limits import VALIDATOR_POWER_MAX, VALIDATORS_MAX
from hansa.testing.chain import Actor, Chain, make_key
from hansa.testing.league import League
from tests.ledger.toy import Count, Later, build_toy_chain, build_toy_registry

ADA = Actor("ada")
COUNT = Count(id="a", by=1, limit=9)
ADDRESS = "0b4b1b8a4a2d1a0c2d5f53a9b7f5cc6e5a3f4c11"


@pytest.fixture
def chain() -> Chain:
    return build_toy_chain(ADA)


def get_liveness(chain: Chain) -> tuple[LastSigned, ...]:
    found = chain.get("", Liveness, "validators")
    return found.signed if found is not None else ()


def build_block(chain: Chain, **changes: object) -> Block:
    block = Block(
        chain=chain.chain, height=chain.height + 1, time_ms=chain.time_ms + 1, hash=bytes(32)
    )
    return replace(block, **changes)


def build_validator(
    name: str, power: int = 10, state: ValidatorState = "active", member: str = ""
) -> Validator:
    """A record under an address that sorts as its name does."""
    return Validator(
        address=name.encode().hex().ljust(40, "0"),
        public_key=make_key(name).public,
        member=member,
        power=power,
        state=state,
        since=0,
    )


def put(overlay: Overlay, validator: Validator) -> None:
    key = compute_state_key("validators", "validator", validator.key())
    overlay.put(key, encode_canonical(validator))


def delete(overlay: Overlay, validator: Validator) -> None:
    overlay.put(compute_state_key("validators", "validator", validator.key()), None)


def build_evidence(**changes: object) -> Misbehaviour:
    evidence = Misbehaviour(
        kind="duplicate_vote",
        address=bytes.fromhex(ADDRESS),
        power=1,
        height=1,
        time_ms=1,
        total_power=3,
    )
    return replace(evidence, **changes)


# liveness


def test_liveness_is_written_in_blocks_that_hold_something_and_in_no_other(chain: Chain) -> None:
    (validator,) = chain.list_signers()
    chain.block()
    root = chain.state.tree.root
    chain.block()
    assert chain.state.tree.root == root
    assert get_liveness(chain) == ()
    chain.send(ADA, "counter", COUNT)
    expected = LastSigned(address=validator.hex(), height=2, time_ms=chain.time_ms)
    assert get_liveness(chain) == (expected,)
    chain.block()
    assert get_liveness(chain) == (expected,)


def test_block_that_only_fires_a_deadline_or_only_brings_evidence_holds_something(
    chain: Chain,
) -> None:
    chain.send(ADA, "counter", Later(id="a", in_ms=50_000))
    chain.advance(60_000)
    assert get_liveness(chain)[0].height == 1
    chain.block(misbehaviours=[build_evidence()])
    assert get_liveness(chain)[0].height == 2


def test_who_did_not_sign_keeps_its_last_height(chain: Chain) -> None:
    chain.send(ADA, "counter", COUNT)
    chain.send(ADA, "counter", COUNT)
    seen = get_liveness(chain)
    chain.signers = ()
    chain.send(ADA, "counter", COUNT)
    assert get_liveness(chain) == seen


@pytest.mark.parametrize("signer", [b"", b"\x01" * 20, b"x", b"/" * 20, b"\x00" * 400])
def test_signers_that_are_no_validators_are_left_out(chain: Chain, signer: bytes) -> None:
    (validator,) = chain.list_signers()
    chain.signers = (signer, validator, validator, signer)
    chain.block()
    chain.send(ADA, "counter", COUNT)
    assert [each.address for each in get_liveness(chain)] == [validator.hex()]


def test_liveness_is_sorted_and_forgets_the_removed_with_their_block(chain: Chain) -> None:
    base = Overlay(chain.state)
    ada, bea = build_validator("ada"), build_validator("bea")
    signed = tuple(LastSigned(address=each.address, height=1, time_ms=1) for each in (ada, bea))
    base.put(b"ledger/liveness/validators", encode_canonical(Liveness(signed=signed)))
    put(base, bea)
    put(base, ada)
    overlay = Overlay(base)
    delete(overlay, ada)
    forget_liveness(overlay)
    found = get_system(overlay, Liveness, "validators")
    assert found is not None
    assert found.signed == (signed[1],)


# updates


def compute(before: list[Validator], *steps: tuple[str, Validator]) -> tuple[ValidatorUpdate, ...]:
    """Updates of a block that takes these steps from a committed set."""
    committed = Overlay(build_toy_chain(ADA).state)
    for validator in before:
        put(committed, validator)
    overlay = Overlay(committed)
    for step, validator in steps:
        (put if step == "put" else delete)(overlay, validator)
    return compute_validator_updates(committed, overlay)


def update(name: str, power: int) -> ValidatorUpdate:
    return ValidatorUpdate(public_key=make_key(name).public.raw, power=power)


ADA_ACTIVE = build_validator("ada")
ADA_SUSPENDED = build_validator("ada", state="suspended")
ADA_CANDIDATE = build_validator("ada", state="candidate")
ADA_HEAVY = build_validator("ada", 30)


@pytest.mark.parametrize(
    ("before", "steps", "expected"),
    [
        ([], [("put", ADA_ACTIVE)], (update("ada", 10),)),
        ([], [("put", ADA_CANDIDATE)], ()),
        ([ADA_CANDIDATE], [("put", ADA_ACTIVE)], (update("ada", 10),)),
        ([ADA_ACTIVE], [("put", ADA_SUSPENDED)], (update("ada", 0),)),
        ([ADA_ACTIVE], [("delete", ADA_ACTIVE)], (update("ada", 0),)),
        ([ADA_CANDIDATE], [("delete", ADA_CANDIDATE)], ()),
        ([ADA_SUSPENDED], [("delete", ADA_SUSPENDED)], ()),
        ([ADA_ACTIVE], [("put", ADA_HEAVY)], (update("ada", 30),)),
        ([ADA_ACTIVE], [("put", ADA_HEAVY), ("put", ADA_ACTIVE)], ()),
        ([ADA_ACTIVE], [("delete", ADA_ACTIVE), ("put", ADA_ACTIVE)], ()),
        ([ADA_ACTIVE], [("delete", ADA_ACTIVE), ("put", ADA_HEAVY)], (update("ada", 30),)),
        ([ADA_ACTIVE], [("put", replace(ADA_ACTIVE, member="m", since=7))], ()),
        ([], [("put", ADA_ACTIVE), ("delete", ADA_ACTIVE)], ()),
        ([], [("delete", ADA_ACTIVE)], ()),
    ],
)
def test_changes_of_a_block_fold_into_one_update_of_effective_power(
    before: list[Validator],
    steps: list[tuple[str, Validator]],
    expected: tuple[ValidatorUpdate, ...],
) -> None:
    assert compute(before, *steps) == expected


def test_updates_are_sorted_by_key() -> None:
    names = [f"name {number}" for number in range(20)]
    found = compute([], *(("put", build_validator(name)) for name in names))
    keys = [each.public_key for each in found]
    assert len(found) == len(names)
    assert keys == sorted(keys)


# evidence


def test_evidence_comes_before_deadlines_and_both_are_proved_by_the_blocks_record(
    chain: Chain,
) -> None:
    chain.send(ADA, "counter", Later(id="a", in_ms=500))
    block = chain.block(misbehaviours=[build_evidence(), build_evidence(height=2)])
    types = [each.type for each in block.deadlines]
    assert types == ["validators/RecordMisbehaviour/1"] * 2 + ["counter/Tick/1"]
    assert [each.index for each in block.deadlines] == [0, 1, 2]
    assert {each.sender for each in block.deadlines} == {DEADLINE}
    record = chain.get("", BlockRecord, f"{chain.height:012d}")
    assert record is not None
    leaves = [each.leaf(f"deadline/{chain.height}") for each in block.deadlines]
    assert record.deadlines == encode_base64url(merkle_root(leaves))


def test_evidence_where_no_contract_takes_it_is_a_refusal_and_no_fault(chain: Chain) -> None:
    result = chain.block(misbehaviours=[build_evidence()]).deadlines[0]
    assert result.code == "ledger.contract_not_active"
    assert result.params == {"application": "validators"}


@pytest.mark.parametrize(
    "changes",
    [
        {"address": b""},
        {"address": b"\x01" * 64},
        {"height": -1},
        {"height": 2**62},
        {"power": 2**62},
        {"power": -5},
        {"time_ms": -(2**62)},
        {"total_power": 2**63},
        {"kind": "treason"},
    ],
    ids=str,
)
def test_strange_evidence_is_a_refusal_and_no_fault(changes: dict[str, object]) -> None:
    chain = League("ada").chain
    result = chain.block(misbehaviours=[build_evidence(**changes)]).deadlines[0]
    assert result.code == "ledger.malformed"
    assert chain.block(misbehaviours=[build_evidence()]).deadlines[0].code == "ok"


# time


def test_first_block_may_have_the_genesis_time_and_no_other_stands_still(chain: Chain) -> None:
    first = build_block(chain, time_ms=chain.time_ms)
    result = execute_block(chain.state, first, chain.registry)
    chain.state.apply(first, result)
    with pytest.raises(InvariantViolation, match="time"):
        execute_block(chain.state, build_block(chain, time_ms=chain.time_ms), chain.registry)


def test_first_block_before_the_genesis_is_a_fault(chain: Chain) -> None:
    with pytest.raises(InvariantViolation, match="time"):
        execute_block(chain.state, build_block(chain, time_ms=chain.time_ms - 1), chain.registry)


# genesis


def test_validators_of_the_genesis_are_active_from_the_start(chain: Chain) -> None:
    key = make_key("validator").public
    (address,) = chain.list_signers()
    assert chain.get("", Validator, address.hex()) == Validator(
        address=address.hex(), public_key=key, member="", power=10, state="active", since=0
    )


def build_validators(count: int, **changes: object) -> tuple[GenesisValidator, ...]:
    made = tuple(
        GenesisValidator(key=make_key(f"v{number}").public, power=10) for number in range(count)
    )
    return (replace(made[0], **changes), *made[1:]) if made else ()


@pytest.mark.parametrize(
    ("validators", "problem"),
    [
        ((), "power"),
        (build_validators(2, power=0), "power"),
        (build_validators(2, power=VALIDATOR_POWER_MAX + 1), "power is at most"),
        (build_validators(VALIDATORS_MAX + 1), "at most 100"),
        (build_validators(2, key=make_key("v1").public), "twice"),
        (
            tuple(replace(each, member=ADA.did) for each in build_validators(2)),
            "twice",
        ),
        (build_validators(1, key=make_key("p", "ES256").public), "Ed25519"),
        (build_validators(1, key=PublicKey.from_raw("EdDSA", bytes(32))), "small order"),
        (build_validators(1, key=PublicKey(alg="EdDSA", public="?")), "cannot be used"),
    ],
    ids=["none", "powerless", "too heavy", "many", "key", "member", "suite", "order", "text"],
)
def test_invalid_validators_of_a_genesis(
    chain: Chain, validators: tuple[GenesisValidator, ...], problem: str
) -> None:
    genesis = replace(chain.genesis, contracts={}, validators=validators)
    with pytest.raises(InvalidGenesis, match=problem):
        decode_genesis(encode_genesis(genesis))


def test_as_many_validators_as_may_be_are_taken(chain: Chain) -> None:
    validators = build_validators(VALIDATORS_MAX, power=VALIDATOR_POWER_MAX)
    genesis = replace(chain.genesis, contracts={}, validators=validators)
    assert decode_genesis(encode_genesis(genesis)).validators == validators
    changes = compute_genesis_changes(genesis, chain.registry)
    assert sum(key.startswith(b"validators/validator/") for key, _value in changes) == 100


# releases


def test_missing_contracts_are_those_active_at_the_height_and_not_in_the_release(
    chain: Chain,
) -> None:
    overlay = Overlay(chain.state)
    versions = (
        ActiveVersion(version=1, digest="one", height=0),
        ActiveVersion(version=2, digest="two", height=50),
    )
    for name in ("counter", "absent"):
        record = Activation(application=name, versions=versions[name == "absent" :])
        key = compute_state_key("governance", "activation", record.key())
        overlay.put(key, encode_canonical(record))
    registry = build_toy_registry()
    assert find_missing(overlay, registry, 49) == []
    assert find_missing(overlay, registry, 50) == [("absent", 2, "two"), ("counter", 2, "two")]
    assert find_missing(overlay, Registry([]), 0)[-1] == ("quotas", 1, "test")


def test_result_of_a_block_without_changes_of_the_set_has_no_updates(chain: Chain) -> None:
    chain.send(ADA, "counter", COUNT)
    assert isinstance(chain.results[-1], BlockResult)
    assert chain.results[-1].validator_updates == ()
