"""Standing as at a height: how intervals grow, and what they say of a signer. Pure, for verifiers.

A change in block H takes effect at H + 1. What a block holds is judged by the standing before it,
so receipts of block H stay good whatever else block H changed.
"""

from collections.abc import Mapping

from hansa.ledger.system import (
    Account,
    Member,
    Standing,
    StandingSince,
    compute_standing,
    find_key,
)


def get_latest_standing(history: tuple[StandingSince, ...]) -> Standing:
    """The standing last decided; it may begin only at the next height."""
    return history[-1].standing


def extend_standing(
    history: tuple[StandingSince, ...], standing: Standing, height: int
) -> tuple[StandingSince, ...]:
    """History with `standing` from height + 1 on; of several in one block the last stays."""
    since = height + 1
    kept = history[:-1] if history and history[-1].since == since else history
    return (*kept, StandingSince(since=since, standing=standing))


def judge_signer(
    account: Account, member: Member, key_id: str, height: int, application: str = ""
) -> str:
    """Why a signature with this key was not good as at `height`; "" when it was.

    `application`: whose message was signed; a service key signs only for those of its scope (D12).
    """
    if account.member != member.did:
        return "other_member"
    if compute_standing(member.standing, height) != "good":
        return "member_not_in_good_standing"
    if compute_standing(account.standing, height) != "good":
        return "account_not_in_good_standing"
    key = find_key(account, key_id, height)
    if key is None:
        return "no_such_key_at_this_height"
    if "sign" in key.purposes:
        return ""
    if "service" in key.purposes and application in key.scope:
        return ""
    return "key_not_for_this_purpose"


def find_disorder(
    history: tuple[StandingSince, ...], steps: Mapping[Standing | None, tuple[Standing, ...]]
) -> str:
    """What is wrong with a history: heights out of order, or a step that is not in `steps`."""
    before, height = None, -1
    for entry in history:
        if entry.since <= height:
            return f"height {entry.since} does not follow {height}"
        if entry.standing not in steps[before]:
            return f"{entry.standing} does not follow {before}"
        before, height = entry.standing, entry.since
    return "" if history else "no standing at all"
