"""What the machine's proposals may carry.

Each entry takes the chain, some hold that stands (or None), an actor and a number from 0 to 5.
"""

from collections.abc import Callable
from typing import Any

from hansa.contracts.accounts.model import OpenMemberAccount
from hansa.contracts.governance.model import (
    ActivateContract,
    CancelActivation,
    FreezeTarget,
    SetParameter,
    SetRules,
    SetWeight,
    UnfreezeTarget,
    Vote,
)
from hansa.contracts.holds.model import ReleaseHold
from hansa.contracts.members.model import (
    AmendMember,
    ExpelMember,
    ReinstateMember,
    SuspendMember,
)
from hansa.contracts.permissions.model import GrantRole, WithdrawRole
from hansa.contracts.quotas.model import SetAllowance
from hansa.ledger.model import Message
from hansa.ledger.state import scan_records
from hansa.ledger.system import Freeze, Hold, Identifier, Member
from hansa.testing.chain import Actor, Chain
from tests.contracts.cast import CANDIDATES, COURT, STAFF, name_key
from tests.contracts.land import Reform
from tests.contracts.league import LEI, USCC, WEEK_MS, build_admit, build_replace_key

WRONG = ("CN-USCC", "91440101231245152X")
IDENTIFIERS: tuple[tuple[tuple[str, str], ...], ...] = ((), (USCC,), (LEI, USCC), (WRONG,))
TARGETS = (
    "contract:land",
    "contract:governance",
    "message:land.TransferParcel",
    "message:governance.Vote",
    f"account:{COURT.did}",
)
Item = Callable[[Chain, Hold | None, Actor, int], tuple[str, Message]]


def _list_identifiers(number: int) -> tuple[Identifier, ...]:
    return tuple(Identifier(*each) for each in IDENTIFIERS[number % 4])


def _target(who: Actor, number: int) -> str:
    return (*TARGETS, f"account:{who.did}")[number]


def _unfreeze(chain: Chain, _hold: Any, who: Actor, number: int) -> tuple[str, Message]:
    """Mostly what is frozen."""
    frozen = scan_records(chain.state, "governance", Freeze, limit=9)
    target = frozen[0].target if frozen and number < 4 else _target(who, number)
    return "governance", UnfreezeTarget(target=target)


def _reinstate(chain: Chain, _hold: Any, who: Actor, number: int) -> tuple[str, Message]:
    """Mostly one who is suspended or expelled."""
    members = scan_records(chain.state, "members", Member, limit=99)
    down = [each.did for each in members if each.standing[-1].standing != "good"]
    did = down[number % len(down)] if down and number < 5 else who.did
    return "members", ReinstateMember(member=did, reason="audit")


def _admit(_chain: Chain, _hold: Any, who: Actor, number: int) -> tuple[str, Message]:
    who = who if number == 0 else CANDIDATES[number % 2]
    chain_id = "other-1" if number == 5 else "test-1"
    return "members", build_admit(who, IDENTIFIERS[number % 4], chain=chain_id)


def _release(_chain: Chain, hold: Hold | None, _who: Actor, _number: int) -> tuple[str, Message]:
    message = ReleaseHold(
        application="land",
        record_kind="parcel",
        record_key=hold.record_key if hold is not None else ("p0",),
        hold=hold.id if hold is not None else "none",
        reason="governance",
    )
    return "holds", message


def _grant_registry(chain: Chain, _hold: Any, who: Actor, number: int) -> tuple[str, Message]:
    message = GrantRole(
        application="land",
        role="registry",
        holder=who.did,
        scope=("-", "north")[number % 2],
        until_ms=None if number < 3 else chain.time_ms + WEEK_MS,
    )
    return "permissions", message


def _withdraw_registry(_chain: Chain, _hold: Any, who: Actor, number: int) -> tuple[str, Message]:
    message = WithdrawRole(
        application="land",
        role="registry",
        holder=who.did,
        scope=("-", "north")[number % 2],
        reason="moved",
    )
    return "permissions", message


def _amend(_chain: Chain, _hold: Any, who: Actor, number: int) -> tuple[str, Message]:
    message = AmendMember(
        member=who.did,
        name=who.name,
        jurisdiction="MO",
        identifiers=_list_identifiers(number),
    )
    return "members", message


def _set_rules(_chain: Chain, _hold: Any, _who: Actor, number: int) -> tuple[str, Message]:
    message = SetRules(
        numerator=number + 1, denominator=4, voting_ms=WEEK_MS, governing_min=1 + number % 3
    )
    return "governance", message


def _activate(chain: Chain, _hold: Any, _who: Actor, number: int) -> tuple[str, Message]:
    message = ActivateContract(
        application="sea",
        version=1 + number % 2,
        digest="ab" * 32,
        height=chain.height + 60 * number,
    )
    return "governance", message


def _restore(_chain: Chain, _hold: Any, who: Actor, number: int) -> tuple[str, Message]:
    who = STAFF[0] if number < 2 else who
    new = number + 1
    message = build_replace_key(who.did, who.did, name_key(who, new), "k1", f"k{new}")
    return "accounts", message


AGENDA: dict[str, Item] = {
    "admit": _admit,
    "amend": _amend,
    "suspend": lambda _c, _h, who, _n: (
        "members",
        SuspendMember(member=who.did, reason="audit"),
    ),
    "reinstate": _reinstate,
    "expel": lambda _c, _h, who, _n: ("members", ExpelMember(member=who.did, reason="fraud")),
    "weight": lambda _c, _h, who, n: ("governance", SetWeight(member=who.did, weight=n)),
    "rules": _set_rules,
    "fee": lambda _c, _h, _who, n: (
        "governance",
        SetParameter(application="land", name="fee" if n > 1 else "feee", value=25 * n),
    ),
    "allowance": lambda _c, _h, who, n: (
        "quotas",
        SetAllowance(member=who.did, units=1_000 * n),
    ),
    "freeze again": lambda _c, _h, who, n: (
        "governance",
        FreezeTarget(target=TARGETS[0] if n < 3 else _target(who, n), reason="audit"),
    ),
    "freeze": lambda _c, _h, who, n: (
        "governance",
        FreezeTarget(target=_target(who, n), reason="audit"),
    ),
    "unfreeze": _unfreeze,
    "activate": _activate,
    "cancel": lambda *_: ("governance", CancelActivation(application="sea")),
    "registry": _grant_registry,
    "banker": lambda _c, _h, who, _n: (
        "permissions",
        GrantRole(application="holds", role="bank", holder=who.did, scope="land"),
    ),
    "withdraw": _withdraw_registry,
    "restore": _restore,
    "release": _release,
    "reform": lambda _c, _h, _who, n: ("land", Reform(id="p2", breaks=n > 3)),
    "no action": lambda *_: ("governance", Vote(proposal=1, choice="yes")),
    "no entry": lambda _c, _h, who, _n: (
        "accounts",
        OpenMemberAccount(key_id="k1", key=who.key.public, possession="A" * 86),
    ),
}
