"""`hansa join`: a home for a new node, the question to the members, the way in. Safe to run again.

Each run does what can be done now and says what comes next. Touches the new home, this user's
pinned trust roots, and asks the gateways that the invitation names.
"""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from hansa.cli.acting import sign_drafts
from hansa.cli.answers import UNJUDGED, YES, answer, hint, json_option
from hansa.cli.place import Place
from hansa.client.faults import ClientError
from hansa.client.gateway import Gateway
from hansa.client.keys import Signer

if TYPE_CHECKING:
    from hansa.client.invites import Invite
    from hansa.node.home import Home

REQUEST: Final = "request.json"
POWER: Final = 10
# A node that is this near to the others' height follows.
NEAR: Final = 2
OPEN: Final = "OPEN"


class JoinError(ClientError):
    """The node cannot join like this."""

    CODE = "cli.join"


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
    """Where the joining stands. `stage`: vote, wanted, start, following, voting, observing."""

    stage: str
    text: str
    next: str
    is_done: bool = False


@click.command()
@click.argument("invite", type=click.Path(path_type=Path), metavar="INVITE")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--as", "signer_name", metavar="NAME|FILE", help="The member's key (or HANSA_AS).")
@click.option("--observer", is_flag=True, help="Follow without a vote.")
@click.option("--power", type=click.IntRange(min=1), default=POWER, show_default=True)
@click.option("--admit", default="", metavar="TITLE", help="The organisation is not yet a member.")
@click.option("--jurisdiction", default="CN", show_default=True, help="With --admit.")
@click.option("--identifier", "identifiers", multiple=True, metavar="SCHEME:VALUE")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the others reach it.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any free one.")
@click.option("--api-port", type=click.IntRange(0, 65535), default=0, help="0: any free one.")
@json_option
def command(
    invite: Path,
    folder: Path,
    signer_name: str | None,
    host: str,
    port: int,
    api_port: int,
    as_json: bool,
    **wishes: Any,
) -> int:
    """Join a league: make a node's home in DIR and ask the members to admit it.

    Run it again at any time: it does the next step and says what is missing. Members vote; then the
    node starts from a snapshot of the others, which need not be told of it; a validator votes once
    its node follows. Exit code 0: the node takes part, 2: something is still to come.

    \b
    Examples:
      hansa join invite.json mynode --as employer --observer
      hansa join invite.json mynode --as harbour --admit 'Harbour Office' --jurisdiction HK
    """
    wish = Wish(
        is_observer=wishes["observer"],
        power=wishes["power"],
        admit=wishes["admit"],
        jurisdiction=wishes["jurisdiction"],
        identifiers=wishes["identifiers"],
    )
    invitation = open_invite(invite)
    home = find_home(folder, invitation, (host, port, api_port))
    gateway_url = find_gateway(home.settings.p2p.gateways)
    place = Place(folder, gateway_url)
    with Gateway(gateway_url) as gateway:
        report = advance(home, gateway, place, signer_name, wish)
    document = {"stage": report.stage, "folder": str(folder), "chain": home.genesis.chain}
    answer({**document, "next": report.next}, report.text, as_json=as_json)
    if report.next:
        hint(f"next: {report.next}")
    return YES if report.is_done else UNJUDGED


def open_invite(path: Path) -> "Invite":
    """The invitation, its league pinned for this user. Raises InvalidInvite, TrustError."""
    from hansa.client.files import read_file
    from hansa.client.invites import INVITE_BYTES_MAX, decode_invite
    from hansa.client.trust import TrustStore

    invite = decode_invite(read_file(path, INVITE_BYTES_MAX))
    store = TrustStore()
    chain = invite.read_genesis().chain
    is_new = not store.load_roots(chain)
    store.pin(bytes(invite.genesis))
    if is_new:
        hint(f"pinned {chain}: compare its genesis with your inviter's: {invite.digest}")
    return invite


def find_home(folder: Path, invite: "Invite", listen: tuple[str, int, int]) -> "Home":
    """The node's home: the one that is there, or a new one with keys of its own."""
    from hansa.catalog import build_registry
    from hansa.crypto.keys import PrivateKey
    from hansa.node.home import create_home, open_home
    from hansa.node.settings import ApiSettings, EngineSettings, PeerSettings, Settings

    host, port, api_port = listen
    if (folder / "genesis.json").exists():
        home = open_home(folder)
        if home.genesis_digest.hex() != invite.digest:
            raise JoinError(f"{folder} is a node of another league", "name a new folder")
        return home
    settings = Settings(
        api=ApiSettings(port=api_port),
        engine=EngineSettings(kind="comet"),
        p2p=PeerSettings(host=host, port=port, peers=invite.peers, gateways=invite.gateways),
    )
    genesis = invite.read_genesis()
    return create_home(folder, genesis, PrivateKey.generate(), build_registry(), settings)


def find_gateway(urls: tuple[str, ...]) -> str:
    """The first gateway that answers. Raises JoinError."""
    from hansa.client.health import ask_health

    for url in urls:
        try:
            if not ask_health(url).is_failing:
                return url
        except ClientError:
            continue
    raise JoinError(
        f"no gateway of the league answers: {', '.join(urls)}",
        "ask the member who invited you for a new invitation",
    )


def advance(
    home: "Home", gateway: Gateway, place: Place, signer_name: str | None, wish: Wish
) -> Report:
    """Do the next step."""
    from hansa.cli.neighbourhood import name_keys

    node, address = name_keys(home)
    if gateway.record("validators", "node", node) is None:
        return ask(home, gateway, place, place.signer(signer_name), wish)
    set_sync(home, gateway)
    running = _read_own(home)
    start = f"hansa start {shlex.quote(str(home.folder))}"
    if running is None:
        text = f"the league admits the node {node}"
        return Report("start", text, f"{start}; then run hansa join again")
    with Gateway(running) as own:
        height = own.league().height
    others = gateway.league().height
    if height + NEAR < others:
        return Report("following", f"the node is at height {height} of {others}", "wait")
    validator = gateway.record("validators", "validator", address)
    if wish.is_observer or validator is None:
        text = f"the node {node} follows the league, at height {height}"
        return Report("observing", text, "", is_done=True)
    if validator["state"] == "candidate":
        activate(gateway, place.signer(signer_name), address)
        validator = gateway.record("validators", "validator", address) or validator
    text = f"the validator {address} is {validator['state']}, with power {validator['power']}"
    return Report("voting", text, "", is_done=validator["state"] == "active")


def _read_own(home: "Home") -> str | None:
    """Address of the new node's own gateway, None when it does not run."""
    from hansa.cli.network import RUNNING, read_running
    from hansa.node.lock import find_holder

    running = read_running(home.folder / RUNNING)
    return running.url if running is not None and find_holder(home.folder) is not None else None


def ask(home: "Home", gateway: Gateway, place: Place, signer: Signer, wish: Wish) -> Report:
    """Ask the members for what the node needs: by an own proposal, or through a member."""
    from hansa.cli.neighbourhood import name_keys

    topic = f"join-{name_keys(home)[0][:16]}"
    is_member = gateway.record("members", "member", signer.account) is not None
    member = signer.account if is_member or wish.admit else _find_member(place, signer)
    actions = build_actions(home, signer, member, wish, is_member=is_member)
    if wish.admit and not is_member:
        file = home.folder / REQUEST
        file.write_bytes(msgspec.json.encode(actions))
        command_line = (
            f"hansa governance propose --topic {topic} --actions @{shlex.quote(str(file))}"
        )
        text = f"{file}: what the members are asked; a member proposes it"
        return Report("wanted", text, f"a member: {command_line}")
    with Gateway(place.url(), signer) as own:
        found = find_proposal(own, topic)
        if found is None:
            propose(own, signer, topic, actions)
            found = find_proposal(own, topic)
    if found is None:
        return Report("start", "the members admit the node", "run hansa join again")
    text = f"proposal {found['id']} is open: {found['yes']} for, {found['no']} against"
    vote = f"hansa governance vote --proposal {found['id']} --choice yes --as NAME"
    return Report("vote", text, f"members vote: {vote}; then run hansa join again")


def _find_member(place: Place, signer: Signer) -> str:
    """The member whose account signs. Raises JoinError."""
    with Gateway(place.url(), signer) as own:
        account = own.record("accounts", "account", signer.account)
    if account is None:
        raise JoinError(
            f"{signer.account} is no account of this league",
            "join with a member's key, or as a member to be: --admit TITLE --jurisdiction …",
        )
    return str(account["member"])


def build_actions(
    home: "Home", signer: Signer, member: str, wish: Wish, *, is_member: bool
) -> list[dict[str, Any]]:
    """What governance is to do: admit the member, the node, approve the validator."""
    from hansa.cli.neighbourhood import name_keys
    from hansa.cli.rotation import describe_admission, sign_possession
    from hansa.contracts.validators.keys import compute_validator_statement
    from hansa.contracts.validators.model import AdmitNode, ApproveValidator
    from hansa.encoding.text import encode_base64url

    actions: list[dict[str, Any]] = []
    if wish.admit and not is_member:
        possession = sign_possession(signer, chain=home.genesis.chain, member=member)
        actions += describe_admission(
            signer, wish.admit, wish.jurisdiction, wish.identifiers, possession
        )
    node = AdmitNode(
        id=name_keys(home)[0], member=member, kind="observer" if wish.is_observer else "validator"
    )
    actions.append(_describe("AdmitNode", node))
    if not wish.is_observer:
        vote = home.validator_key()
        statement = compute_validator_statement(
            chain=home.genesis.chain, member=member, key=vote.public
        )
        approve = ApproveValidator(
            member=member,
            key=vote.public,
            power=wish.power,
            possession=encode_base64url(vote.sign(statement)),
        )
        actions.append(_describe("ApproveValidator", approve))
    return actions


def _describe(name: str, message: Any) -> dict[str, Any]:
    return {"application": "validators", "type": name, "body": msgspec.to_builtins(message)}


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


def activate(gateway: Gateway, signer: Signer, address: str) -> None:
    """Have the approved validator vote. Raises JoinError with the ledger's refusal."""
    from hansa.contracts.validators.model import ActivateValidator

    submit(gateway, signer, "validators", ActivateValidator(validator=address))


def submit(gateway: Gateway, signer: Signer, application: str, message: Any) -> None:
    """One message, waited for. Raises JoinError unless the ledger accepted it."""
    from hansa.cli.acting import WAIT_S, judge_status
    from hansa.client.transactions import Draft

    data = sign_drafts(gateway, [signer], [Draft(application, message)], "atomic")
    status = gateway.wait(gateway.submit(data), WAIT_S)
    if judge_status(status) != YES:
        refused = next((each for each in status.messages if each.code != "ok"), None)
        text = "the ledger has not decided yet" if refused is None else refused.text
        code = "" if refused is None else f"{refused.code}: "
        remedy = "run it again" if refused is None else refused.remedy
        raise JoinError(f"{code}{text}", remedy)


def set_sync(home: "Home", gateway: Gateway) -> None:
    """Say in `node.toml` from which snapshot's height on to trust, while the node has no block.

    The header is checked against what is pinned; without a snapshot the node begins at genesis.
    """
    from hansa.client.pinning import add_checkpoint
    from hansa.client.trust import TrustStore
    from hansa.node.home import ENGINE, rewrite_settings
    from hansa.node.settings import SyncSettings

    if (home.folder / ENGINE).exists() or not gateway.league().snapshot:
        return
    checkpoint = add_checkpoint(TrustStore(), gateway.checkpoint())
    known = [node.gateway for node in gateway.nodes() if node.gateway]
    servers = tuple(f"{url}/v1/comet" for url in known or [gateway.url])
    sync = SyncSettings(
        servers=servers if len(servers) > 1 else servers * 2,
        trust_height=checkpoint.height,
        trust_hash=checkpoint.hash,
    )
    rewrite_settings(home.folder, msgspec.structs.replace(home.settings, sync=sync))
