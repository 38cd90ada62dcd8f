"""CometBFT's JSON of headers, commits and validators, read into our types exactly. Pure.

For whoever holds such JSON: the engine's own RPC, or a gateway's read-only part of it.
Source: CometBFT v0.39.4 rpc/core/types/responses.go, types/block.go, libs/json.
"""

import binascii
from datetime import UTC, datetime
from typing import Final

import msgspec

from hansa.comet.commit import Commit, CommitSig
from hansa.comet.header import BlockID, Header, PartSetHeader, Version
from hansa.comet.validators import Validator
from hansa.comet.wire import Timestamp
from hansa.encoding.json_faults import NOT_JSON
from hansa.encoding.protobuf import FormatError

ED25519: Final = "tendermint/PubKeyEd25519"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS_DIGITS: Final = 9


class FormatFault(ValueError):
    """JSON that is no header, commit, validator or time of CometBFT."""


class _Parts(msgspec.Struct):
    total: int
    hash: str


class _BlockID(msgspec.Struct):
    hash: str
    parts: _Parts

    def convert(self) -> BlockID:
        return BlockID(
            hash=_hex(self.hash), parts=PartSetHeader(self.parts.total, _hex(self.parts.hash))
        )


class _Version(msgspec.Struct):
    block: str = "0"
    app: str = "0"


class _Header(msgspec.Struct):
    version: _Version
    chain_id: str
    height: str
    time: str
    last_block_id: _BlockID
    last_commit_hash: str
    data_hash: str
    validators_hash: str
    next_validators_hash: str
    consensus_hash: str
    app_hash: str
    last_results_hash: str
    evidence_hash: str
    proposer_address: str

    def convert(self) -> Header:
        return Header(
            version=Version(block=_integer(self.version.block), app=_integer(self.version.app)),
            chain_id=self.chain_id,
            height=_integer(self.height),
            time=parse_time(self.time),
            last_block_id=self.last_block_id.convert(),
            last_commit_hash=_hex(self.last_commit_hash),
            data_hash=_hex(self.data_hash),
            validators_hash=_hex(self.validators_hash),
            next_validators_hash=_hex(self.next_validators_hash),
            consensus_hash=_hex(self.consensus_hash),
            app_hash=_hex(self.app_hash),
            last_results_hash=_hex(self.last_results_hash),
            evidence_hash=_hex(self.evidence_hash),
            proposer_address=_hex(self.proposer_address),
        )


class _CommitSig(msgspec.Struct):
    block_id_flag: int
    validator_address: str
    timestamp: str
    signature: str | None

    def convert(self) -> CommitSig:
        return CommitSig(
            flag=self.block_id_flag,
            address=_hex(self.validator_address),
            time=parse_time(self.timestamp),
            signature=_base64(self.signature or ""),
        )


class _Commit(msgspec.Struct):
    height: str
    round: int
    block_id: _BlockID
    signatures: list[_CommitSig]

    def convert(self) -> Commit:
        return Commit(
            height=_integer(self.height),
            round=self.round,
            block_id=self.block_id.convert(),
            signatures=tuple(each.convert() for each in self.signatures),
        )


class _SignedHeader(msgspec.Struct):
    header: _Header
    commit: _Commit


class _CommitAnswer(msgspec.Struct):
    signed_header: _SignedHeader
    canonical: bool


class _PublicKey(msgspec.Struct):
    type: str
    value: str


class _Validator(msgspec.Struct):
    pub_key: _PublicKey
    voting_power: str

    def convert(self) -> Validator:
        if self.pub_key.type != ED25519:
            raise FormatFault(f"a validator's key is of type {self.pub_key.type}, not Ed25519")
        return Validator(_base64(self.pub_key.value), _integer(self.voting_power))


class _ValidatorsAnswer(msgspec.Struct):
    validators: list[_Validator]
    count: str
    total: str


_COMMIT: Final = msgspec.json.Decoder(_CommitAnswer)
_VALIDATORS: Final = msgspec.json.Decoder(_ValidatorsAnswer)


def parse_commit_answer(result: bytes | msgspec.Raw) -> tuple[Header, Commit]:
    """The result of `commit`: a header and the commit that decided it. Raises FormatFault.

    Nothing is verified: `verify_commit` does that.
    """
    try:
        signed = _COMMIT.decode(result).signed_header
        return signed.header.convert(), signed.commit.convert()
    except (*NOT_JSON, FormatError) as error:
        raise FormatFault(f"not a signed header: {error}") from error


def parse_validators_answer(result: bytes | msgspec.Raw) -> tuple[list[Validator], int]:
    """One page of `validators`, in the set's order, and how many there are in all."""
    try:
        answer = _VALIDATORS.decode(result)
    except NOT_JSON as error:
        raise FormatFault(f"not a page of validators: {error}") from error
    return [each.convert() for each in answer.validators], _integer(answer.total)


def parse_time(text: str) -> Timestamp:
    """A time as Go writes it: RFC 3339 in UTC with up to nine digits of a second."""
    try:
        whole, dot, fraction = text.removesuffix("Z").partition(".")
        if not text.endswith("Z") or (dot and not fraction) or len(fraction) > _NANOS_DIGITS:
            raise ValueError(text)
        if fraction and not (fraction.isascii() and fraction.isdigit()):
            raise ValueError(text)
        since = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC) - _EPOCH
    except ValueError as error:
        raise FormatFault(f"not a time in UTC: {text[:40]!r}") from error
    nanos = int(fraction.ljust(_NANOS_DIGITS, "0")) if fraction else 0
    return Timestamp(since.days * 86_400 + since.seconds, nanos)


def format_time(time_ms: int) -> str:
    """A time as Go would write it (trailing zeros of the fraction left out)."""
    seconds, ms = divmod(time_ms, 1000)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ms:03}".rstrip("0").rstrip(".") + "Z" if ms else f"{whole}Z"


def _integer(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 20:
        raise FormatFault(f"not an integer: {text[:40]!r}")
    return int(text)


def _hex(text: str) -> bytes:
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError) as error:
        raise FormatFault(f"not hex: {text[:40]!r}") from error


def _base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise FormatFault(f"not base64: {text[:40]!r}") from error
