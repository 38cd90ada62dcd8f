"""From messages to an answer: sign, submit, wait, say what became of each. Asks the node."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import msgspec

from hansa.cli.answers import NO, UNJUDGED, YES, answer, hint
from hansa.cli.place import NODE_HELP, Place, find_place
from hansa.client.faults import ClientError, Refused
from hansa.client.gateway import Gateway
from hansa.client.keys import Signer
from hansa.client.replies import MessageOutcome, TransactionStatus
from hansa.client.transactions import Draft, build_payload, choose_expiry, sign_payload
from hansa.ledger.transactions import Mode

WAIT_S: Final = 30.0
OK: Final = "ok"
# Events as the gateway lists them.
Events = Sequence[dict[str, Any]]
EVENT_FIELDS: Final = ("message", "app", "type", "body")


class Act(NamedTuple):
    """How a transaction is sent: where, signed by whom, all or each, waited for or not."""

    place: Place
    signer_name: str | None = None
    others: tuple[str, ...] = ()
    mode: Mode = "atomic"
    wait: bool = True
    timeout_s: float = WAIT_S
    as_json: bool = False

    @staticmethod
    def options() -> list[click.Parameter]:
        """The click options of every command that sends a transaction."""
        return [
            click.Option(
                ["--as", "signer_name"], metavar="NAME|FILE", help="Who signs (or HANSA_AS)."
            ),
            click.Option(
                ["--with", "others"], multiple=True, metavar="NAME|FILE", help="A further signer."
            ),
            click.Option(
                ["--mode"],
                type=click.Choice(["atomic", "independent"]),
                default="atomic",
                show_default=True,
                help="Several messages: all or none, or each for itself.",
            ),
            click.Option(["--no-wait"], is_flag=True, help="Do not wait for the result."),
            click.Option(
                ["--timeout"],
                type=click.FloatRange(min=0),
                default=WAIT_S,
                show_default=True,
                help="Seconds to wait.",
            ),
            *place_parameters(),
            json_parameter(),
        ]


def place_parameters() -> list[click.Parameter]:
    """The options --league and --node."""
    return [
        click.Option(
            ["--league"],
            type=click.Path(path_type=Path),
            envvar="HANSA_LEAGUE",
            help="The league's folder (default: the one you are in).",
        ),
        click.Option(["--node"], metavar="N|URL", envvar="HANSA_NODE", help=NODE_HELP),
    ]


def json_parameter() -> click.Parameter:
    """The option --json."""
    return click.Option(
        ["--json", "as_json"], is_flag=True, help="Answer as one JSON document on stdout."
    )


def collect_act(values: dict[str, Any]) -> Act:
    """What `Act.options` gave."""
    return Act(
        place=find_place(values["league"], values["node"]),
        signer_name=values["signer_name"],
        others=values["others"],
        mode=values["mode"],
        wait=not values["no_wait"],
        timeout_s=values["timeout"],
        as_json=values["as_json"],
    )


def act(how: Act, drafts: Sequence[Draft]) -> int:
    """Send the messages in one transaction. The exit code says whether all were accepted."""
    how.place.url()  # where comes before who
    signers = [how.place.signer(how.signer_name), *map(how.place.signer, how.others)]
    with how.place.gateway(signers[0]) as gateway:
        data = sign_drafts(gateway, signers, drafts, how.mode)
        return send(gateway, data, how)


def sign_drafts(
    gateway: Gateway, signers: Sequence[Signer], drafts: Sequence[Draft], mode: Mode
) -> bytes:
    """Signed bytes for the league that the gateway serves, good for half the replay window."""
    league = gateway.league()
    payload = build_payload(
        chain=league.chain,
        expiry=choose_expiry(league.height),
        drafts=drafts,
        signers=[signer.kid for signer in signers],
        mode=mode,
    )
    return sign_payload(payload, [(signer.kid, signer.private) for signer in signers])


def send(gateway: Gateway, data: bytes, how: Act) -> int:
    """Submit signed bytes, wait unless told otherwise, and say what became of each message."""
    identity = gateway.submit(data)
    if not how.wait:
        answer({"id": identity, "state": "pending"}, identity, as_json=how.as_json)
        hint(f"hansa tx wait {identity}")
        return YES
    status = gateway.wait(identity, how.timeout_s)
    return tell_status(status, find_events(gateway, status), as_json=how.as_json)


def find_events(gateway: Gateway, status: TransactionStatus) -> Events:
    """What a transaction's messages announced; nothing where it cannot be seen."""
    if not any(message.code == OK for message in status.messages):
        return ()
    try:
        return gateway.list_emitted(status)
    except (Refused, ClientError):
        return ()


def tell_status(status: TransactionStatus, events: Events = (), *, as_json: bool) -> int:
    """Print a transaction's status; 0 all accepted, 1 something refused, 2 not decided yet."""
    shown = [{name: each[name] for name in EVENT_FIELDS} for each in events]
    document = msgspec.to_builtins(status) | {"events": shown}
    answer(document, format_status(status, events), as_json=as_json)
    if not status.is_final:
        hint(f"Not decided yet. Ask again: hansa tx wait {status.id}")
    return judge_status(status)


def judge_status(status: TransactionStatus) -> int:
    """0 all accepted, 1 something refused, 2 not decided yet."""
    if not status.is_final:
        return UNJUDGED
    refused = any(message.code != OK for message in status.messages)
    return NO if refused or status.state != "committed" else YES


def format_status(status: TransactionStatus, events: Events = ()) -> str:
    """A transaction, its messages and what they announced, in words."""
    place = f" at height {status.height}" if status.state == "committed" else ""
    lines = [f"{status.id}  {status.state}{place}"]
    for message in status.messages:
        lines.append(format_outcome(message))
        lines.extend(format_event(each) for each in events if each["message"] == message.index)
    return "\n".join(lines)


def format_event(event: dict[str, Any]) -> str:
    """An event with its plain fields: numbers and ids that the next command needs."""
    plain = (
        f"{name}={value}"
        for name, value in event["body"].items()
        if name != "v" and isinstance(value, int | str) and value != ""
    )
    return " ".join([f"      {event['type']}", *plain])


def format_outcome(message: MessageOutcome) -> str:
    """One message: accepted, or refused with code, rule and remedy."""
    name = message.type or "transaction"
    if message.code == OK:
        return f"  ✓ {message.index} {name}"
    lines = [f"  ✗ {message.index} {name}: {message.code}: {message.text}"]
    if message.rule:
        lines.append(f"      rule: {message.rule}")
    if message.remedy:
        lines.append(f"      next: {message.remedy}")
    return "\n".join(lines)
