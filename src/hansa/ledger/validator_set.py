"""The validator set at the edge of a block: who was seen to vote, what the engine is told, how its
evidence becomes a message. The contract `validators` decides; this only reads and reports. Pure.
"""

from hansa.encoding.canonical import encode_canonical
from hansa.ledger.blocks import Block, Misbehaviour, ValidatorUpdate
from hansa.ledger.model import compute_state_key
from hansa.ledger.state import (
    Overlay,
    Reader,
    compute_range,
    decode_record,
    get_system,
    scan_records,
)
from hansa.ledger.system import Deadline, LastSigned, Liveness, Validator

# Contract and message that take evidence.
CONTRACT = "validators"
MESSAGE = "RecordMisbehaviour"
ALL = 1_000_000
_RANGE = compute_range(Validator.OWNER, Validator, ())
_LIVENESS = compute_state_key(Liveness.OWNER, Liveness.KIND, Liveness().key())


def put_liveness(overlay: Overlay, block: Block) -> None:
    """Record who signed the block before this one; addresses without a validator are left out."""
    if not block.signers:
        return
    now = {
        address.hex(): LastSigned(
            address=address.hex(), height=block.height - 1, time_ms=block.time_ms
        )
        for address in block.signers
    }
    _put_known(overlay, {**_get_signed(overlay), **now})


def forget_liveness(overlay: Overlay) -> None:
    """Drop the entries of validators that this block removed."""
    removed = {
        key.rpartition(b"/")[2].decode()
        for key, value in overlay.list_changes(*_RANGE)
        if value is None
    }
    signed = _get_signed(overlay) if removed else {}
    if removed & set(signed):
        _put_known(overlay, signed)


def compute_validator_updates(committed: Reader, overlay: Overlay) -> tuple[ValidatorUpdate, ...]:
    """What the engine must change: one update for each key whose power differs, sorted by key."""
    updates = []
    for key, value in overlay.list_changes(*_RANGE):
        old = committed.get(key)
        before = decode_record(Validator, old) if old is not None else None
        after = decode_record(Validator, value) if value is not None else None
        either = after or before
        power = after.effective_power if after else 0
        if either is not None and power != (before.effective_power if before else 0):
            updates.append(ValidatorUpdate(public_key=either.public_key.raw, power=power))
    return tuple(sorted(updates, key=lambda update: update.public_key))


def build_misbehaviour_message(block: Block, misbehaviour: Misbehaviour) -> Deadline:
    """Evidence as a message that fires in this block; it is never stored as a deadline."""
    body = {
        "address": misbehaviour.address.hex(),
        "height": misbehaviour.height,
        "kind": misbehaviour.kind,
        "power": misbehaviour.power,
        "time_ms": misbehaviour.time_ms,
        "total_power": misbehaviour.total_power,
        "v": 1,
    }
    return Deadline(
        at_ms=block.time_ms,
        id="misbehaviour",
        application=CONTRACT,
        type=MESSAGE,
        body=encode_canonical(body).decode(),
    )


def _get_signed(reader: Reader) -> dict[str, LastSigned]:
    found = get_system(reader, Liveness, *Liveness().key())
    return {each.address: each for each in found.signed} if found is not None else {}


def _put_known(overlay: Overlay, signed: dict[str, LastSigned]) -> None:
    validators = scan_records(overlay, Validator.OWNER, Validator, limit=ALL)
    known = tuple(signed[each.address] for each in validators if each.address in signed)
    overlay.put(_LIVENESS, encode_canonical(Liveness(signed=known)))
