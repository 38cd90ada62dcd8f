"""When a checkpoint may be pinned: what is pinned already leads to it. Touches the trust folder."""

from hansa.client.checkpoints import CheckpointFile, decode_checkpoint
from hansa.client.receipts import encode_file
from hansa.client.trust import TrustError, TrustStore
from hansa.client.verdict import Verdict
from hansa.client.verify import verify_receipt
from hansa.comet.light import RULES, Rules
from hansa.comet.wire import Timestamp


def add_checkpoint(
    store: TrustStore,
    data: bytes,
    *,
    replace: bool = False,
    now: Timestamp | None = None,
    rules: Rules = RULES,
) -> CheckpointFile:
    """Pin the checkpoint in `data`.

    Where nothing is pinned for its chain, and with `replace`, the caller vouches for it: he has
    compared height and hash with a member's. Else it must follow from what is pinned. Raises
    InvalidCheckpoint, TrustError.
    """
    checkpoint = decode_checkpoint(data)
    if not replace and store.load_roots(checkpoint.chain):
        check_checkpoint(store, checkpoint, now=now, rules=rules)
    store.pin_checkpoint(checkpoint)
    return checkpoint


def check_checkpoint(
    store: TrustStore,
    checkpoint: CheckpointFile,
    *,
    now: Timestamp | None = None,
    rules: Rules = RULES,
) -> Verdict:
    """Check that a checkpoint follows from what is pinned. Raises TrustError when it does not."""
    roots = store.load_roots(checkpoint.chain)
    pinned = store.load_checkpoint(checkpoint.chain)
    if pinned is not None and pinned.height > checkpoint.height:
        raise TrustError(
            f"the pinned checkpoint of {checkpoint.chain}, at height {pinned.height}, is newer",
            "keep it; or --replace, if you mean it",
        )
    verdict = verify_receipt(encode_file(checkpoint), roots, now=now, rules=rules)
    if verdict.outcome == "yes":
        return verdict
    step = next(step for step in verdict.steps if step.ok is not True)
    raise TrustError(
        f"the checkpoint at height {checkpoint.height} does not follow from what is pinned: "
        f"{step.text}",
        f"compare its hash, {checkpoint.hash}, with a member's over a channel you trust; "
        "when they are the same: hansa trust add FILE --replace",
    )
