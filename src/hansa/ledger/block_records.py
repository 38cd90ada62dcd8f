"""What a block leaves in state: its own record and its transactions' ids; old ids are forgotten.
Pure.
"""

from hansa.crypto.merkle import merkle_root
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import decode_base64url, encode_base64url
from hansa.ledger.blocks import Block
from hansa.ledger.model import compute_state_key
from hansa.ledger.receipts import MessageResult
from hansa.ledger.state import Overlay, compute_range, decode_record
from hansa.ledger.system import BlockRecord, Seen
from hansa.primitives.limits import EXPIRY_WINDOW, PRUNE_PER_BLOCK_MAX


def write_block_records(
    overlay: Overlay,
    block: Block,
    results_hash: bytes,
    deadlines: tuple[MessageResult, ...],
    seen: tuple[bytes, ...],
) -> tuple[int, ...]:
    """What a non-empty block leaves in state: its own record, its ids; old ids are pruned."""
    leaves = [result.leaf(f"deadline/{block.height}") for result in deadlines]
    record = BlockRecord(
        height=block.height,
        time_ms=block.time_ms,
        hash=encode_base64url(block.hash),
        results=encode_base64url(results_hash),
        deadlines=encode_base64url(merkle_root(leaves)),
    )
    key = compute_state_key(BlockRecord.OWNER, BlockRecord.KIND, record.key())
    overlay.put(key, encode_canonical(record))
    if seen:
        ids = Seen(height=block.height, ids=encode_base64url(b"".join(seen)))
        overlay.put(compute_state_key(Seen.OWNER, Seen.KIND, ids.key()), encode_canonical(ids))
    return _prune_seen(overlay, block.height)


def _prune_seen(overlay: Overlay, height: int) -> tuple[int, ...]:
    """Forget ids of blocks older than the window, a bounded number at a time (D3)."""
    start, _end = compute_range(Seen.OWNER, Seen, ())
    oldest = max(0, height - EXPIRY_WINDOW)
    end = compute_state_key(Seen.OWNER, Seen.KIND, (f"{oldest:012d}",))
    forgotten = []
    for key, data in overlay.scan(start, end, PRUNE_PER_BLOCK_MAX):
        overlay.put(key, None)
        forgotten.append(decode_record(Seen, data).height)
    return tuple(forgotten)


def decode_seen_ids(record: Seen) -> tuple[bytes, ...]:
    """The ids of a Seen record, 32 bytes each: a restored node rebuilds its look-up from these."""
    joined = decode_base64url(record.ids)
    return tuple(joined[start : start + 32] for start in range(0, len(joined), 32))
