"""What every file rests on: a trust root, the headers that lead from it, and the file's own. Pure.

Read in order: `check_root`, `check_validators`, `check_header`, `check_headers`, `check_path`.
"""

import time
from typing import Final

import msgspec

from hansa.client.bundles import BundleFile
from hansa.client.checkpoints import VALIDATORS_MAX, CheckpointFile, check_numbers
from hansa.client.receipts import ProofFile, ReceiptFile
from hansa.client.trust import Root, TrustRoot
from hansa.client.verdict import Failed, Unjudged, show
from hansa.comet.commit import COMMIT, verify_commit
from hansa.comet.header import BLOCK_PROTOCOL
from hansa.comet.light import (
    Expired,
    FromTheFuture,
    LightBlock,
    NotEnoughTrust,
    Rules,
    check_fresh,
    check_light_block,
    check_step,
)
from hansa.comet.validators import compute_total_power, compute_validators_hash
from hansa.comet.wire import Timestamp

File = ReceiptFile | ProofFile | CheckpointFile | BundleFile
_DAY_S: Final = 86_400


class Case(msgspec.Struct, frozen=True):
    """One file before the verifier: what is pinned for its chain, the time, the rules.

    roots: newest first; none: why_not says why.
    """

    file: File
    roots: tuple[Root, ...]
    why_not: str
    now: Timestamp
    rules: Rules

    @property
    def root(self) -> Root | None:
        """The newest root that is not later than the file's header."""
        height = self.file.header.height
        return next((root for root in self.roots if root.height <= height), None)

    @property
    def block(self) -> LightBlock:
        """What the file rests on."""
        return LightBlock(self.file.commit, self.file.header, self.file.validators)

    def list_headers(self) -> tuple[LightBlock, ...]:
        """The headers to follow from the root: those up to its height are already trusted."""
        root = self.root
        height = 0 if root is None else root.height
        return tuple(each for each in self.file.headers if each.header.height > height)


def check_root(case: Case) -> str:
    """Which pinned root the file can rest on."""
    if not case.roots:
        raise Unjudged(case.why_not)
    chain = case.roots[0].chain
    if case.file.chain != chain:
        raise Failed(f"the file is of chain {case.file.chain}, the trust root of {chain}")
    root = case.root
    if root is None:
        raise Unjudged(
            f"the file's header, of height {case.file.header.height}, is older than the pinned "
            f"checkpoint at height {case.roots[-1].height}: pin the genesis "
            "(hansa trust add GENESIS), or fetch the file anew"
        )
    if not _is_same(case, root):
        try:
            check_fresh(root.trusted(), case.now, case.rules)
        except Expired as expired:
            cure = (
                "pin a newer checkpoint (hansa trust add FILE, from a member, over a channel that "
                "you trust)"
                if root is case.roots[0]
                else "fetch the file anew (hansa receipt), to lead from the newer pinned checkpoint"
            )
            raise Unjudged(
                f"{describe_root(root, case.now)} vouches no longer ({expired}): {cure}"
            ) from expired
    return describe_root(root, case.now)


def describe_root(root: Root, now: Timestamp) -> str:
    """A root for people."""
    days = max(0, now.seconds - root.trusted().time.seconds) // _DAY_S
    age = f"{days} day(s) old" if days else "of today"
    if isinstance(root, TrustRoot):
        return f"genesis {root.genesis[:16]}… of chain {root.chain}, {age}"
    return (
        f"checkpoint at height {root.height}, header {root.hash[:16]}…, "
        f"of chain {show(root.chain)}, {age}"
    )


def name_root(root: Root) -> str:
    """A root for programs: its kind and digest."""
    if isinstance(root, TrustRoot):
        return f"genesis {root.genesis}"
    return f"checkpoint {root.hash}"


def check_validators(case: Case) -> str:
    """The file's validators are those that its header names."""
    file = case.file
    if compute_validators_hash(file.validators) != file.header.validators_hash:
        raise Failed("the validators are not those that the header names")
    power = compute_total_power(file.validators)
    return f"{len(file.validators)} validator(s) with power {power}, named by the header"


def check_header(case: Case) -> str:
    """More than two thirds of the header's own validators decided it."""
    file = case.file
    header = file.header
    if header.chain_id != file.chain:
        raise Failed("the header is of another chain than the file says")
    if header.version.block != BLOCK_PROTOCOL:
        raise Failed("the header is of another block protocol")
    check_numbers(header)
    verify_commit(file.chain, file.validators, file.commit.block_id, header.height, file.commit)
    check_light_block(file.chain, case.block)
    signed = sum(entry.flag == COMMIT for entry in file.commit.signatures)
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(header.time.seconds))
    return (
        f"block {header.height} of {moment}, "
        f"signed by {signed} of {len(file.validators)} validators"
    )


def check_headers(case: Case) -> str:
    """Each header that the file carries holds in itself, and they rise to the file's own."""
    last = 0
    for block in case.file.headers:
        if len(block.validators) > VALIDATORS_MAX:
            raise Failed("a header has more validators than any has")
        check_numbers(block.header)
        check_light_block(case.file.chain, block)
        if not last < block.header.height < case.file.header.height:
            raise Failed("the headers are not in order")
        last = block.header.height
    count = len(case.file.headers)
    return f"{count} header(s) that lead to it, each signed by its validators" if count else ""


def check_path(case: Case) -> str:
    """From the root over the headers to the file's own: each step by light verification."""
    root = case.root
    if root is None:
        return ""
    if _is_same(case, root):
        return "it is the pinned checkpoint"
    followed = case.list_headers()
    trusted = root.trusted()
    try:
        for block in (*followed, case.block):
            check_step(trusted, block, now=case.now, rules=case.rules)
            trusted = block.trusted()
    except Expired as expired:
        raise Unjudged(f"nothing follows from the trust root any more: {expired}") from expired
    except FromTheFuture as why:
        raise Unjudged(f"{why}: set the clock of this machine, or wait") from why
    except NotEnoughTrust as why:
        raise _refuse_distrusted(root, str(why)) from why
    if not followed:
        return f"follows from {_name(root)} in one step"
    heights = ", ".join(str(block.header.height) for block in followed)
    return f"follows from {_name(root)} over {len(followed)} header(s): {heights}"


def _is_same(case: Case, root: Root) -> bool:
    """Whether the file's header is the pinned one. Raises Failed for another of that height."""
    if root.height != case.file.header.height:
        return False
    if isinstance(root, CheckpointFile) and root.hash != case.file.header.hash().hex():
        raise Failed(f"the pinned checkpoint has another header at height {root.height}")
    return True


def _refuse_distrusted(root: Root, why: str) -> Exception:
    """A file leads from genesis or it is a no; from a checkpoint it need not lead."""
    if isinstance(root, TrustRoot):
        return Failed(f"{why}: not decided by the trusted genesis or its heirs, or headers lack")
    return Unjudged(
        f"{why}: the file does not lead from there; fetch it anew with ?trusted={root.height}"
    )


def _name(root: Root) -> str:
    if isinstance(root, TrustRoot):
        return "the genesis"
    return f"the checkpoint at height {root.height}"
