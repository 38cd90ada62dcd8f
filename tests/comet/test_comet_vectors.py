"""Our formats against what CometBFT's own Go code printed (tests/vectors/comet/generate)."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.comet.block import (
    ExecTxResult,
    compute_block_id,
    compute_data_hash,
    compute_results_hash,
    encode_block,
)
from hansa.comet.commit import Commit, InvalidCommit, encode_vote_sign_bytes, verify_commit
from hansa.comet.header import BlockID, Header, Version, compute_consensus_hash
from hansa.comet.validators import (
    Validator,
    check_validators,
    compute_total_power,
    compute_validators_hash,
    sort_validators,
)
from hansa.comet.wire import Timestamp
from hansa.crypto.keys import PrivateKey
from hansa.crypto.merkle import MerkleProof, compute_root_from_proof, merkle_proof, merkle_root
from hansa.crypto.signatures import SUITES

FILE = Path(__file__).parents[1] / "vectors" / "comet" / "vectors.json"


@cache
def vectors() -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(FILE.read_bytes())
    return decoded


def cases(section: str) -> list[Any]:
    listed: list[Any] = vectors()[section]
    assert listed
    return listed


def read(value: Any, type_: Any) -> Any:
    """A struct by way of JSON, as a receipt file carries it."""
    return msgspec.json.decode(msgspec.json.encode(value), type=type_)


def test_vectors_are_of_the_pinned_release() -> None:
    assert vectors()["source"] == "github.com/cometbft/cometbft v0.39.4"
    pinned = (FILE.parent / "generate" / "go.mod").read_text()
    assert "github.com/cometbft/cometbft v0.39.4" in pinned


@pytest.mark.parametrize("case", cases("merkle"), ids=lambda case: str(len(case["leaves"])))
def test_merkle_root_and_proofs(case: dict[str, Any]) -> None:
    leaves = [bytes.fromhex(leaf) for leaf in case["leaves"]]
    root = bytes.fromhex(case["root"])
    assert merkle_root(leaves) == root
    assert len(case["aunts"]) == len(leaves)
    for index, aunts in enumerate(case["aunts"]):
        proof = MerkleProof(len(leaves), index, tuple(map(bytes.fromhex, aunts)))
        assert merkle_proof(leaves, index) == proof
        assert compute_root_from_proof(leaves[index], proof) == root


@pytest.mark.parametrize("case", cases("headers"))
def test_header_hash_and_bytes(case: dict[str, Any]) -> None:
    header = read(case["header"], Header)
    assert header.hash().hex() == case["hash"]
    assert header.encode().hex() == case["encoded"]


@pytest.mark.parametrize("case", cases("votes"))
def test_vote_sign_bytes(case: dict[str, Any]) -> None:
    message = encode_vote_sign_bytes(
        case["chain_id"],
        height=case["height"],
        round_=case["round"],
        block_id=read(case["block_id"], BlockID),
        time=read(case["time"], Timestamp),
        type_=case["type"],
    )
    assert message.hex() == case["sign_bytes"]
    key, signature = bytes.fromhex(case["public_key"]), bytes.fromhex(case["signature"])
    assert SUITES["EdDSA"].verify(key, message, signature)


@pytest.mark.parametrize("case", cases("sets"), ids=lambda case: str(len(case["given"])))
def test_validator_set_order_addresses_and_hash(case: dict[str, Any]) -> None:
    ordered = sort_validators(read(case["given"], tuple[Validator, ...]))
    check_validators(ordered)
    assert ordered == read(case["ordered"], tuple[Validator, ...])
    assert [validator.address.hex() for validator in ordered] == case["addresses"]
    assert compute_total_power(ordered) == case["total"]
    assert compute_validators_hash(ordered).hex() == case["hash"]


@pytest.mark.parametrize("case", cases("commits"), ids=lambda case: case["name"])
def test_commit_is_judged_as_cometbft_does(case: dict[str, Any]) -> None:
    commit = read(case["commit"], Commit)
    assert commit.hash().hex() == case["hash"]
    assert commit.encode().hex() == case["encoded"]
    arguments = (
        case["chain_id"],
        read(case["validators"], tuple[Validator, ...]),
        read(case["block_id"], BlockID),
        case["height"],
        commit,
    )
    if case["holds"]:
        verify_commit(*arguments)
    else:
        with pytest.raises(InvalidCommit):
            verify_commit(*arguments)


def test_commit_of_another_chain_is_refused() -> None:
    case = next(case for case in cases("commits") if case["holds"])
    validators = read(case["validators"], tuple[Validator, ...])
    block_id, commit = read(case["block_id"], BlockID), read(case["commit"], Commit)
    with pytest.raises(InvalidCommit):
        verify_commit("hansa-vectort", validators, block_id, case["height"], commit)


@pytest.mark.parametrize("case", cases("results"), ids=lambda case: str(len(case["results"])))
def test_exec_results_bytes_and_hash(case: dict[str, Any]) -> None:
    results = read(case["results"], tuple[ExecTxResult, ...])
    assert [result.encode().hex() for result in results] == case["encoded"]
    assert compute_results_hash(results).hex() == case["hash"]


@pytest.mark.parametrize("case", cases("blocks"), ids=lambda case: str(case["size"]))
def test_block_bytes_and_block_id(case: dict[str, Any]) -> None:
    header, last_commit = read(case["header"], Header), read(case["last_commit"], Commit)
    transactions = [bytes([item["fill"]]) * item["size"] for item in case["transactions"]]
    assert compute_data_hash(transactions).hex() == case["data_hash"]
    encoded = encode_block(header, transactions, last_commit)
    assert len(encoded) == case["size"]
    assert sha256(encoded).hexdigest() == case["digest"]
    assert compute_block_id(header, transactions, last_commit) == read(case["block_id"], BlockID)


@pytest.mark.parametrize("case", cases("params"))
def test_consensus_hash(case: dict[str, Any]) -> None:
    found = compute_consensus_hash(block_max_bytes=case["max_bytes"], block_max_gas=case["max_gas"])
    assert found.hex() == case["hash"]


def test_header_hash_published_by_cometbft() -> None:
    """TestHeaderHash of CometBFT types/block_test.go."""
    header = Header(
        version=Version(block=1, app=2),
        chain_id="chainId",
        height=3,
        time=Timestamp.from_ms(1_570_983_284_000),
        last_block_id=read(
            {"hash": bytes(32), "parts": {"total": 6, "hash": bytes(32)}},
            BlockID,
        ),
        last_commit_hash=sha256(b"last_commit_hash").digest(),
        data_hash=sha256(b"data_hash").digest(),
        validators_hash=sha256(b"validators_hash").digest(),
        next_validators_hash=sha256(b"next_validators_hash").digest(),
        consensus_hash=sha256(b"consensus_hash").digest(),
        app_hash=sha256(b"app_hash").digest(),
        last_results_hash=sha256(b"last_results_hash").digest(),
        evidence_hash=sha256(b"evidence_hash").digest(),
        proposer_address=sha256(b"proposer_address").digest()[:20],
    )
    assert header.hash().hex().upper() == (
        "F740121F553B5418C3EFBD343C2DBFE9E007BB67B0D020A0741374BAB65242A4"
    )


def test_our_keys_sign_as_cometbft_does() -> None:
    """GenPrivKeyFromSecret(s) is the key of the seed SHA-256(s)."""
    for index, case in enumerate(cases("votes")):
        key = PrivateKey.from_seed("EdDSA", sha256(f"vote {index}".encode()).digest())
        assert key.public.raw.hex() == case["public_key"]
        assert key.sign(bytes.fromhex(case["sign_bytes"])).hex() == case["signature"]
