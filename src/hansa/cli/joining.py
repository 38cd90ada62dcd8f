"""The steps of a node into its league: asked, admitted, following, voting. Asks gateways.

Each call does what can be done now and says where it stands; nothing is done twice.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hansa.cli.acting import WAIT_S, judge_status, sign_drafts
from hansa.cli.answers import YES
from hansa.cli.newcomer import JoinError, quote_folder
from hansa.client.faults import ClientError, Refused
from hansa.client.files import store_file
from hansa.client.gateway import Gateway
from hansa.client.keys import Signer

if TYPE_CHECKING:
    from hansa.node.home import Home

REQUEST: Final = "request.json"
AGAIN: Final = "then run hansa join again"
# A node that is this near to the others' height follows.
NEAR: Final = 2
OPEN: Final = "OPEN"
SIGN_IN_REFUSED: Final = "api.sign_in_refused"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the new node is to be. `admit`: title of an organisation that is not yet a member."""

    is_observer: bool
    power: int
    admit: str
    jurisdiction: str
    identifiers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Where the joining stands.

    `stage`: wanted (a member is to propose), vote, start, syncing, following, activating, voting,
    observing. `waits`: goes on by itself or by others, without another word to this command.
    """

    stage: str
    text: str
    next: str
    is_done: bool = False
    waits: bool = True
    proposal: int = 0


class Joining:
    """One node on its way in, seen through the league's gateway `url`.

    `find_signer` is asked only when something has to be signed.
    """

    def __init__(
        self, home: "Home", url: str, find_signer: Callable[[], Signer], wish: Wish
    ) -> None:
        from hansa.cli.neighbourhood import name_keys

        self._home, self._url, self._wish = home, url, wish
        self._find_signer = find_signer
        self.node, self.address = name_keys(home)

    def advance(self) -> Report:
        """Do the next step. Raises ClientError, Refused."""
        with Gateway(self._url) as gateway:
            node = gateway.record("validators", "node", self.node)
            vote = gateway.record("validators", "validator", self.address)
            if node is None or not self._has_asked_for_all(node, vote):
                return self._ask(gateway, node)
            running = read_own(self._home)
            if running is None:
                text = f"the league admits the node {self.node}"
                start = f"hansa start {quote_folder(self._home)}"
                return Report("start", text, f"{start}; {AGAIN}")
            behind = self._look_behind(gateway, running)
            if behind is not None:
                return behind
            if self._wish.is_observer or vote is None:
                text = f"the node {self.node} follows the league, at height {read_height(running)}"
                return Report("observing", text, "", is_done=True)
            return self._vote(gateway, vote)

    def _has_asked_for_all(self, node: dict[str, Any], vote: dict[str, Any] | None) -> bool:
        """Whether the league has decided on all that is wished for. Raises JoinError."""
        if self._wish.is_observer or vote is not None:
            return True
        if node["kind"] == "observer":
            raise JoinError(
                f"the node {self.node} was admitted as an observer",
                "go on with --observer; for a vote join with a new folder, then leave with this",
            )
        return False

    def _look_behind(self, gateway: Gateway, running: str) -> Report | None:
        """A report when the node does not follow yet. The others are asked first: they grow."""
        others = gateway.league().height
        try:
            height = read_height(running)
        except ClientError:
            return Report("syncing", "the node starts: it does not answer yet", f"wait; {AGAIN}")
        if height + NEAR >= others:
            return None
        if not height:
            text = "the node fetches a snapshot from the others"
            return Report("syncing", text, f"wait; {AGAIN} (its words: hansa status, engine.log)")
        return Report("following", f"the node is at height {height} of {others}", f"wait; {AGAIN}")

    def _vote(self, gateway: Gateway, vote: dict[str, Any]) -> Report:
        """Have the approved validator vote, and see that it does."""
        if vote["state"] == "candidate":
            self._activate(gateway)
            vote = gateway.record("validators", "validator", self.address) or vote
        text = f"the validator {self.address} is {vote['state']}, with power {vote['power']}"
        if vote["state"] == "active":
            return Report("voting", text, "", is_done=True)
        if vote["state"] == "suspended":
            cure = "governance decides: hansa governance propose … ReinstateValidator"
            return Report("suspended", text, cure, waits=False)
        return Report("activating", text, f"wait; {AGAIN}")

    def _activate(self, gateway: Gateway) -> None:
        from hansa.contracts.validators.model import ActivateValidator

        submit(
            gateway, self._find_signer(), "validators", ActivateValidator(validator=self.address)
        )

    def _ask(self, gateway: Gateway, node: dict[str, Any] | None) -> Report:
        """Ask the members for what the node needs: by an own proposal, or through a member."""
        signer, topic = self._find_signer(), f"join-{self.node[:16]}"
        standing = gateway.record("members", "member", signer.account)
        if self._wish.admit and standing is None:
            return self._write_request(signer, topic)
        with Gateway(self._url, signer) as own:
            member = signer.account if standing is not None else find_member(own, signer)
            self._check_vote_is_free(gateway, member)
            found = find_proposal(own, topic)
            if found is None:
                actions = self.build_actions(signer, member, with_node=node is None)
                propose(own, signer, topic, actions)
                found = find_proposal(own, topic)
        if found is None:
            return Report("start", "the members admit the node", f"wait; {AGAIN}")
        text = f"proposal {found['id']} is open: {found['yes']} for, {found['no']} against"
        vote = f"hansa governance vote --proposal {found['id']} --choice yes --as NAME"
        return Report("vote", text, f"members vote: {vote}; {AGAIN}", proposal=int(found["id"]))

    def _write_request(self, signer: Signer, topic: str) -> Report:
        """What a member proposes for an organisation that has no account yet."""
        file = self._home.folder / REQUEST
        actions = self.build_actions(signer, signer.account, with_node=True, with_member=True)
        store_file(file, msgspec.json.encode(actions), replace=True)
        path = shlex.quote(f"@{file}")
        line = f"hansa governance propose --topic {topic} --actions {path}"
        text = f"{file}: what the members are asked"
        return Report("wanted", text, f"send it to a member, who proposes it: {line}; {AGAIN}")

    def _check_vote_is_free(self, gateway: Gateway, member: str) -> None:
        """Before the members are asked for what cannot be. Raises JoinError."""
        if self._wish.is_observer:
            return
        if gateway.record("validators", "former_key", self.address) is not None:
            raise JoinError(
                f"the key in {self._home.folder} has voted before and was given up",
                "a key votes once: join with a new folder, or go on with --observer",
            )
        for each in gateway.records("validators", "validator", limit=200).items:
            if each["member"] == member and each["address"] != self.address:
                raise JoinError(
                    f"this member votes with the validator {each['address']} already",
                    "join as an observer (--observer), or leave with that node first (hansa leave)",
                )

    def build_actions(
        self, signer: Signer, member: str, *, with_node: bool, with_member: bool = False
    ) -> list[dict[str, Any]]:
        """What governance is to do: admit the member, the node, approve the validator."""
        from hansa.cli.rotation import describe_admission, sign_possession
        from hansa.contracts.validators.model import AdmitNode

        actions: list[dict[str, Any]] = []
        wish, chain = self._wish, self._home.genesis.chain
        if with_member:
            possession = sign_possession(signer, chain=chain, member=member)
            actions += describe_admission(
                signer, wish.admit, wish.jurisdiction, wish.identifiers, possession
            )
        if with_node:
            node = AdmitNode(
                id=self.node, member=member, kind="observer" if wish.is_observer else "validator"
            )
            actions.append(_describe("AdmitNode", node))
        if not wish.is_observer:
            actions.append(self._describe_validator(member))
        return actions

    def _describe_validator(self, member: str) -> dict[str, Any]:
        from hansa.contracts.validators.keys import compute_validator_statement
        from hansa.contracts.validators.model import ApproveValidator
        from hansa.encoding.text import encode_base64url

        vote = self._home.validator_key()
        statement = compute_validator_statement(
            chain=self._home.genesis.chain, member=member, key=vote.public
        )
        approve = ApproveValidator(
            member=member,
            key=vote.public,
            power=self._wish.power,
            possession=encode_base64url(vote.sign(statement)),
        )
        return _describe("ApproveValidator", approve)


def _describe(name: str, message: Any) -> dict[str, Any]:
    return {"application": "validators", "type": name, "body": msgspec.to_builtins(message)}


def read_own(home: "Home") -> str | None:
    """Address of the new node's own gateway: "" while it starts, None when it does not run."""
    from hansa.node.lock import find_holder
    from hansa.node.running import RUNNING, read_running

    if find_holder(home.folder) is None:
        return None
    running = read_running(home.folder / RUNNING)
    return running.url if running is not None else ""


def read_height(url: str) -> int:
    """Height of the node whose gateway this is. Raises ClientError when it does not answer."""
    if not url:
        raise ClientError("the node does not answer yet")
    with Gateway(url) as own:
        return own.league().height


def find_member(gateway: Gateway, signer: Signer) -> str:
    """The member whose account signs. Raises JoinError."""
    cure = "join with a member's key, or as a member to be: --admit TITLE --jurisdiction …"
    try:
        account = gateway.record("accounts", "account", signer.account)
    except Refused as refused:
        if refused.code != SIGN_IN_REFUSED:
            raise
        text = f"the league lets nobody in with the key of {signer.account}: {refused.text}"
        raise JoinError(text, cure) from refused
    if account is None:
        raise JoinError(f"{signer.account} is no account of this league", cure)
    return str(account["member"])


def find_proposal(gateway: Gateway, topic: str) -> dict[str, Any] | None:
    """The open proposal on this topic."""
    after: str | None = None
    while True:
        page = gateway.records("governance", "proposal", limit=200, after=after)
        for each in page.items:
            if each["topic"] == topic and each["state"] == OPEN:
                return dict(each)
        after = page.next
        if not after:
            return None


def propose(gateway: Gateway, signer: Signer, topic: str, actions: list[dict[str, Any]]) -> None:
    """Open the proposal. Raises ClientError, Refused."""
    from hansa.contracts.governance.model import Action, Propose

    message = Propose(topic=topic, actions=msgspec.convert(actions, tuple[Action, ...]))
    submit(gateway, signer, "governance", message)


def submit(gateway: Gateway, signer: Signer, application: str, message: Any) -> None:
    """One message, waited for. Raises JoinError unless the ledger accepted it."""
    from hansa.client.transactions import Draft

    data = sign_drafts(gateway, [signer], [Draft(application, message)], "atomic")
    status = gateway.wait(gateway.submit(data), WAIT_S)
    if judge_status(status) != YES:
        refused = next((each for each in status.messages if each.code != "ok"), None)
        text = "the ledger has not decided yet" if refused is None else refused.text
        code = "" if refused is None else f"{refused.code}: "
        remedy = "run it again" if refused is None else refused.remedy
        raise JoinError(f"{code}{text}", remedy)
