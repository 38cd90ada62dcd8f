"""Light verification: from headers that are trusted to later ones, not the blocks between. Pure.

Source: CometBFT v0.39.4 light/verifier.go, light/client.go, types/validation.go. Stricter in one
thing: of an untrusted commit every signature that is present is verified, needed or not.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from hansa.comet.commit import COMMIT, Commit, InvalidCommit, verify_commit
from hansa.comet.header import BLOCK_PROTOCOL, CHAIN_ID_SIZE_MAX, Header
from hansa.comet.validators import ValidatorSet, compute_total_power, compute_validators_hash
from hansa.comet.wire import Timestamp
from hansa.crypto.addresses import ADDRESS_SIZE
from hansa.crypto.merkle import HASH_SIZE
from hansa.encoding.protobuf import FormatError

_NS: Final = 1_000_000_000
_DAY_S: Final = 86_400
# How long a trusted header vouches for later ones (ADR 10): the longest life that NIST SP 800-57
# gives a signing key, so that the keys of an older header are used, or lie about, no more.
TRUST_PERIOD_S: Final = 1_095 * _DAY_S
# CometBFT light defaultMaxClockDrift.
CLOCK_DRIFT_S: Final = 10
_INT64_MAX: Final = 2**63 - 1


class LightError(ValueError):
    """A header that does not follow from what is trusted."""


class InvalidLightBlock(LightError):
    """The header, its validators or its votes are wrong: nothing could make them right."""


class FromTheFuture(InvalidLightBlock):
    """The header is of a later time than the clock of the one who judges."""


class Expired(LightError):
    """What is trusted is older than the trust period: it says nothing about later headers."""


class NotEnoughTrust(LightError):
    """Too few of the trusted validators signed: headers between are needed, or it is forged."""


class PathTooLong(LightError):
    """More headers lie between than whoever asks would follow."""


class TrustLevel(msgspec.Struct, frozen=True):
    """The share of the trusted power that must have signed a header further on: 1/3 to 1."""

    numerator: int = 1
    denominator: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.denominator <= 3 * self.numerator <= 3 * self.denominator:
            raise ValueError("a trust level is at least 1/3 and at most 1")


class Rules(msgspec.Struct, frozen=True):
    """By what a later header is judged: seconds, and the share of trusted power."""

    trust_period_s: int = TRUST_PERIOD_S
    clock_drift_s: int = CLOCK_DRIFT_S
    level: TrustLevel = TrustLevel()


RULES: Final = Rules()


class Trusted(msgspec.Struct, frozen=True):
    """What is trusted of a chain at one height; at height 0: its genesis."""

    chain: str
    height: int
    time: Timestamp
    validators: ValidatorSet
    next_validators_hash: bytes


class LightBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A header, the commit that decided its block, and the validators of its height."""

    commit: Commit
    header: Header
    validators: ValidatorSet

    def trusted(self) -> Trusted:
        """What is trusted once this is."""
        header = self.header
        return Trusted(
            chain=header.chain_id,
            height=header.height,
            time=header.time,
            validators=self.validators,
            next_validators_hash=header.next_validators_hash,
        )


def trust_genesis(chain: str, time: Timestamp, validators: ValidatorSet) -> Trusted:
    """What a genesis makes trusted: the validators of height 1, from its time on."""
    return Trusted(chain, 0, time, validators, compute_validators_hash(validators))


# --- one step ---


def verify(trusted: Trusted, block: LightBlock, *, now: Timestamp, rules: Rules = RULES) -> None:
    """Verify that `block` follows from what is trusted. Raises a LightError."""
    if block.header.height == trusted.height + 1:
        verify_adjacent(trusted, block, now=now, rules=rules)
    else:
        verify_skipping(trusted, block, now=now, rules=rules)


def verify_adjacent(
    trusted: Trusted, block: LightBlock, *, now: Timestamp, rules: Rules = RULES
) -> None:
    """Verify the very next header: its validators are those that the trusted one announced.

    Raises Expired, FromTheFuture, InvalidLightBlock.
    """
    if block.header.height != trusted.height + 1:
        raise InvalidLightBlock("the header is not the next one")
    check_fresh(trusted, now, rules)
    _check_form(trusted.chain, block)
    _check_order(trusted, block.header, now, rules)
    _check_link(trusted, block, rules)
    _check_votes(block)


def verify_skipping(
    trusted: Trusted, block: LightBlock, *, now: Timestamp, rules: Rules = RULES
) -> None:
    """Verify a header further on: more than `level` of the trusted power signed it, by address,
    and more than two thirds of its own.

    Raises Expired, FromTheFuture, InvalidLightBlock, NotEnoughTrust.
    """
    if block.header.height == trusted.height + 1:
        raise InvalidLightBlock("the header is the next one: it is judged as that")
    check_fresh(trusted, now, rules)
    _check_form(trusted.chain, block)
    _check_order(trusted, block.header, now, rules)
    _check_link(trusted, block, rules)
    _check_votes(block)


def check_light_block(chain: str, block: LightBlock) -> None:
    """Check a light block in itself: form, validators, votes of its own set. InvalidLightBlock."""
    _check_form(chain, block)
    _check_votes(block)


def check_step(trusted: Trusted, block: LightBlock, *, now: Timestamp, rules: Rules) -> None:
    """As `verify`, of a block that was checked in itself. Raises a LightError."""
    if block.header.chain_id != trusted.chain:
        raise InvalidLightBlock("the header is of another chain")
    check_fresh(trusted, now, rules)
    _check_order(trusted, block.header, now, rules)
    _check_link(trusted, block, rules)


def check_fresh(trusted: Trusted, now: Timestamp, rules: Rules = RULES) -> None:
    """Check that what is trusted still vouches for later headers. Raises Expired."""
    if trusted.time.ns + rules.trust_period_s * _NS <= now.ns:
        days = rules.trust_period_s // _DAY_S
        raise Expired(f"what is trusted is older than {days} days")


def _check_form(chain: str, block: LightBlock) -> None:
    """All but the order and the votes (SignedHeader.ValidateBasic, and the named validators)."""
    header, commit = block.header, block.commit
    _check_header(header)
    if header.chain_id != chain:
        raise InvalidLightBlock("the header is of another chain")
    if commit.height != header.height or not commit.signatures:
        raise InvalidLightBlock("the commit is for another height, or empty")
    try:
        if header.hash() != commit.block_id.hash:
            raise InvalidLightBlock("the commit is for another header")
        if compute_validators_hash(block.validators) != header.validators_hash:
            raise InvalidLightBlock("the validators are not those that the header names")
    except FormatError as error:
        raise InvalidLightBlock(str(error)) from error


def _check_header(header: Header) -> None:
    """CometBFT Header.ValidateBasic."""
    last = header.last_block_id
    hashes = (
        last.hash,
        last.parts.hash,
        header.last_commit_hash,
        header.data_hash,
        header.validators_hash,
        header.next_validators_hash,
        header.consensus_hash,
        header.last_results_hash,
        header.evidence_hash,
    )
    fits = (
        header.version.block == BLOCK_PROTOCOL
        and header.version.app >= 0
        and len(header.chain_id.encode()) <= CHAIN_ID_SIZE_MAX
        and 0 < header.height <= _INT64_MAX
        and all(len(each) in (0, HASH_SIZE) for each in hashes)
        and last.parts.total >= 0
        and len(header.proposer_address) == ADDRESS_SIZE
    )
    if not fits:
        raise InvalidLightBlock("the header is malformed")


def _check_order(trusted: Trusted, header: Header, now: Timestamp, rules: Rules) -> None:
    if header.height <= trusted.height:
        raise InvalidLightBlock(f"the header is not later than the trusted height {trusted.height}")
    # The first block has the time of its genesis.
    is_first = trusted.height == 0 and header.height == 1
    if header.time < trusted.time or (header.time == trusted.time and not is_first):
        raise InvalidLightBlock("the header's time is not later than that of the trusted one")
    if header.time.ns >= now.ns + rules.clock_drift_s * _NS:
        raise FromTheFuture("the header is of a later time than this clock shows")


def _check_link(trusted: Trusted, block: LightBlock, rules: Rules) -> None:
    """Announced by the header before, or signed by enough of those who are trusted."""
    if block.header.height == trusted.height + 1:
        if block.header.validators_hash != trusted.next_validators_hash:
            raise InvalidLightBlock("the validators are not those that the header before announced")
        return
    signed, total = _count_trusted(trusted, block)
    if signed * rules.level.denominator <= total * rules.level.numerator:
        raise NotEnoughTrust(
            f"signed by {signed} of the {total} of power trusted at height {trusted.height}"
        )


def _count_trusted(trusted: Trusted, block: LightBlock) -> tuple[int, int]:
    """Power of the trusted validators whose votes for the block are in its commit, and the total.

    A vote is matched by its address, and by the key that the block's own set has for it, with
    which it is verified.
    """
    trusted_set = {each.address: each for each in trusted.validators}
    keys = {each.address: each.public_key for each in block.validators}
    seen: set[bytes] = set()
    signed = 0
    for entry in block.commit.signatures:
        known = trusted_set.get(entry.address)
        if entry.flag != COMMIT or known is None:
            continue
        if entry.address in seen:
            raise InvalidLightBlock("a validator's vote is there twice")
        seen.add(entry.address)
        if keys.get(entry.address) == known.public_key:
            signed += known.power
    return signed, compute_total_power(trusted.validators)


def _check_votes(block: LightBlock) -> None:
    header, commit = block.header, block.commit
    try:
        verify_commit(header.chain_id, block.validators, commit.block_id, header.height, commit)
    except (InvalidCommit, FormatError) as error:
        raise InvalidLightBlock(str(error)) from error


# --- several steps ---


def follow(
    trusted: Trusted, blocks: Iterable[LightBlock], *, now: Timestamp, rules: Rules = RULES
) -> Trusted:
    """Verify each block from the one before; what is trusted at the end. Raises a LightError."""
    for block in blocks:
        verify(trusted, block, now=now, rules=rules)
        trusted = block.trusted()
    return trusted


def is_linked(trusted: Trusted, block: LightBlock, level: TrustLevel = RULES.level) -> bool:
    """Whether one step leads from what is trusted to `block`, if all that it says is true."""
    if block.header.height == trusted.height + 1:
        return block.header.validators_hash == trusted.next_validators_hash
    signed, total = _count_trusted(trusted, block)
    return signed * level.denominator > total * level.numerator


def find_path(
    fetch: Callable[[int], LightBlock],
    trusted: Trusted,
    target: LightBlock,
    *,
    length_max: int,
    level: TrustLevel = RULES.level,
) -> tuple[LightBlock, ...]:
    """The light blocks to follow between what is trusted and `target`; usually none.

    Each is the last to which one step leads, found by bisection: of about log2(heights) fetched.
    `fetch` gives the light block of a height; what it gives is counted, not verified: whoever does
    not trust it must `follow` the path. Raises PathTooLong, InvalidLightBlock, and what `fetch`
    raises.
    """
    path: list[LightBlock] = []
    while not is_linked(trusted, target, level):
        if len(path) == length_max:
            raise PathTooLong(f"more than {length_max} headers lie between")
        path.append(_find_last(fetch, trusted, target.header.height, level))
        trusted = path[-1].trusted()
    return tuple(path)


def _find_last(
    fetch: Callable[[int], LightBlock], trusted: Trusted, above: int, level: TrustLevel
) -> LightBlock:
    """The last linked block below `above`, which is not linked itself."""
    found = None
    low, high = trusted.height, above
    while high - low > 1:
        middle = (low + high) // 2
        block = fetch(middle)
        if block.header.height != middle:
            raise InvalidLightBlock("a header of another height than was asked for")
        if is_linked(trusted, block, level):
            low, found = middle, block
        else:
            high = middle
    if found is None:
        raise InvalidLightBlock(f"no header follows from height {trusted.height}")
    return found
