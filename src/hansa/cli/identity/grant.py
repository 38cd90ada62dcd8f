"""`hansa grant`: consent given and withdrawn, the log of who read what, and its proof.

`give` keeps the consent record (ISO/IEC TS 27560) in the subject's vault; taking and break-glass:
`grant_take`. The contract's own messages follow, derived.
"""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from hansa.cli.acting import Act, act, collect_act
from hansa.cli.answers import NO, UNJUDGED, YES, answer, draw_table, json_option
from hansa.cli.asking import open_gateway
from hansa.cli.derived import build_group
from hansa.cli.identity.grant_take import APP, break_glass, take
from hansa.cli.place import Place, place_options, signer_option
from hansa.client.files import read_file, store_file
from hansa.client.transactions import Draft

if TYPE_CHECKING:  # loaded when a command runs
    from hansa.client.gateway import Gateway
    from hansa.contracts.consents.model import Access
    from hansa.identity.consent_record import Party
    from hansa.vault.exchange import Shelf

PAGE: Final = 200


def _give(controller: str, receiver: str, **values: Any) -> int:
    from hansa.contracts.consents.model import GiveGrant
    from hansa.identity.consent_record import Terms, build_record, encode_record

    how = collect_act(values)
    how.place.url()  # where comes before who
    signer = how.place.signer(how.signer_name)
    parties = {"controller": how.place.did(controller), "receiver": how.place.did(receiver)}
    with how.place.gateway(signer) as gateway:
        league = gateway.league()
        people = {role: _find_party(gateway, did, role) for role, did in parties.items()}
        jurisdictions = _list_jurisdictions(gateway, parties["controller"])
    given = datetime.fromtimestamp(league.time_ms / 1000, UTC)
    until = given + timedelta(days=values["days"])
    record = build_record(
        Terms(
            record=secrets.token_hex(16),
            subject=signer.account,
            controller=people["controller"],
            receiver=people["receiver"],
            purpose=values["purpose"],
            fields=values["fields"],
            given=write_time(given),
            until=write_time(until),
            notice=values["notice"],
            language=values["language"],
            jurisdictions=jurisdictions,
        )
    )
    message = GiveGrant(
        subject=signer.account,
        controller=parties["controller"],
        receiver=parties["receiver"],
        purpose=values["purpose"],
        legal_basis="consent",
        fields=values["fields"],
        uses_max=values["uses"],
        until_ms=int(until.timestamp() * 1000),
        record=_keep(how.place, signer.account, encode_record(record)),
    )
    return act(how, [Draft(APP, message)])


def _withdraw(grant: str, reason: str, **values: Any) -> int:
    from hansa.contracts.consents.model import WithdrawGrant

    how = collect_act(values)
    how.place.url()
    signer = how.place.signer(how.signer_name)
    with how.place.gateway(signer) as gateway:
        found = gateway.record(APP, "data_grant", grant)
        now = datetime.fromtimestamp(gateway.league().time_ms / 1000, UTC)
    record = ""
    if found is not None and found["subject"] == signer.account and found["record"]:
        record = _add_withdrawal(how.place, signer.account, found["record"], write_time(now))
    return act(how, [Draft(APP, WithdrawGrant(grant=grant, reason=reason, record=record))])


def write_time(time: datetime) -> str:
    """As consent records have it: RFC 3339, UTC, whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _keep(place: Place, account: str, data: bytes) -> str:
    """Put a consent record into the account's vault; its commitment."""
    shelf = _open_shelf(place, account)
    return shelf.place(shelf.vault.put(data))


def _add_withdrawal(place: Place, account: str, commitment: str, at: str) -> str:
    """Commitment to the consent record with its withdrawal; "" where the record is not here."""
    from hansa.identity.consent_record import add_event, decode_record, encode_record
    from hansa.vault.faults import ErasedEntryError, NoSuchEntryError

    shelf = _open_shelf(place, account)
    try:
        known = decode_record(shelf.vault.get(shelf.find(commitment)))
    except (NoSuchEntryError, ErasedEntryError):
        return ""
    return _keep(place, account, encode_record(add_event(known, "withdrawn", at, account)))


def _open_shelf(place: Place, account: str) -> "Shelf":
    from hansa.cli.vaults import open_vault
    from hansa.vault.exchange import Shelf

    return Shelf(open_vault(place, account))


def _find_party(gateway: "Gateway", did: str, role: str) -> "Party":
    from hansa.identity.consent_record import Party

    member = gateway.record("members", "member", did)
    name = str(member["name"]) if member else did
    return Party(did=did, name=name, role="controller" if role == "controller" else "recipient")


def _list_jurisdictions(gateway: "Gateway", controller: str) -> tuple[str, ...]:
    member = gateway.record("members", "member", controller)
    return (str(member["jurisdiction"]),) if member else ("unknown",)


give = click.Command(
    "give",
    callback=_give,
    params=[
        click.Argument(["controller"], metavar="HOLDER"),
        click.Argument(["receiver"], metavar="READER"),
        click.Option(["--field", "fields"], multiple=True, required=True, help="Code of the data."),
        click.Option(["--purpose"], required=True, help="Reason code: a-z 0-9 _ . -"),
        click.Option(["--days"], type=click.IntRange(1, 3650), default=30, show_default=True),
        click.Option(["--uses"], type=click.IntRange(1), help="How often.  [default: any number]"),
        click.Option(["--notice"], required=True, help="Where the privacy notice was read."),
        click.Option(["--language"], default="en", show_default=True, help="Of the notice."),
        *Act.options(),
    ],
    help="""Consent: let READER read data about the signer that HOLDER holds.

    The consent record (ISO/IEC TS 27560) is kept in the signer's vault, its commitment on the
    ledger. It can be withdrawn at any time. Other legal bases: give-grant.

    \b
    Example:
      hansa grant give clinic bank --field income --purpose open_account --uses 1 \\
        --notice https://clinic.example/privacy --as pat
    """,
    short_help="Consent to data about the signer being read.",
)
withdraw = click.Command(
    "withdraw",
    callback=_withdraw,
    params=[
        click.Argument(["grant"], metavar="GRANT"),
        click.Option(["--reason"], default="withdrawn", show_default=True, help="Reason code."),
        *Act.options(),
    ],
    help="""Withdraw a grant: it counts at once, also for what was not fetched yet.

    \b
    Example:
      hansa grant withdraw 5f2c…-0 --as pat
    """,
    short_help="Withdraw a grant at once.",
)


@click.command("log")
@click.option("--of", "subject", metavar="DID|NAME", help="Whose.  [default: the signer's]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it with its proof.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@signer_option
@place_options
@json_option
def log(
    subject: str | None,
    output: Path | None,
    force: bool,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Who read data about the signer, when, for what, under which grant.

    \b
    Examples:
      hansa grant log --as pat
      hansa grant log -o log.json --as pat && hansa grant check log.json
    """
    from hansa.client.access_log import build_log_file

    of = place.did(subject) if subject else place.signer(signer_name).account
    with open_gateway(place, signer_name) as gateway:
        proof = gateway.proof(APP, "access_log", of).data if output else b""
        accesses = _list_accesses(gateway, of)
    if output:
        count = _count(proof)
        store_file(output, build_log_file(proof, accesses[:count]), replace=force)
    _show(accesses, as_json=as_json)
    return YES


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def check(file: Path, as_json: bool) -> int:
    """Judge the file of a log offline: that its accesses are all there are, and each as it was.

    Exit code 0 yes, 1 no, 2 could not judge (no trust root is pinned).

    \b
    Example:
      hansa grant check log.json
    """
    from hansa.client.access_log import LOG_BYTES_MAX, verify_log
    from hansa.client.trust import TrustStore

    data = read_file(file, LOG_BYTES_MAX)
    chain = _read_chain(data)
    roots = TrustStore().load_roots(chain) if chain else ()
    verdict, accesses = verify_log(data, roots)
    document = {**msgspec.to_builtins(verdict), "accesses": msgspec.to_builtins(accesses)}
    steps = "\n".join(f"{_MARKS[step.ok]} {step.name}: {step.text}" for step in verdict.steps)
    answer(document, f"{steps}\n{verdict.outcome}", as_json=as_json)
    return {"yes": YES, "no": NO}.get(verdict.outcome, UNJUDGED)


_MARKS: Final = {True: "+", False: "-", None: "?"}


def _review(emergency: str, verdict: str, findings: str, **values: Any) -> int:
    from hansa.cli.fields import build_message
    from hansa.contracts.consents.model import ReviewBreakGlass

    body = {"emergency": emergency, "verdict": verdict, "findings": findings}
    return act(collect_act(values), [Draft(APP, build_message(ReviewBreakGlass, body))])


review = click.Command(
    "review",
    callback=_review,
    params=[
        click.Argument(["emergency"], metavar="ID"),
        click.Argument(["verdict"], type=click.Choice(["justified", "unjustified"])),
        click.Option(["--findings"], default="", help="SHA-256 (hex) of the report."),
        *Act.options(),
    ],
    help="""Judge a break-glass, as a regulator of the controller's jurisdiction. It is final.

    \b
    Example:
      hansa grant review 5f2c…-0 justified --as watch
    """,
    short_help="Judge a break-glass, as a regulator.",
)


def _list_accesses(gateway: "Gateway", subject: str) -> "list[Access]":
    """All accesses of a subject that may be seen, by number."""
    from hansa.contracts.consents.model import Access

    found: list[Access] = []
    after: str | None = None
    while True:
        page = gateway.records(
            APP, Access.KIND, filters={"prefix": subject}, after=after, limit=PAGE
        )
        found += [msgspec.convert(each, type=Access) for each in page.items]
        after = page.next
        if after is None:
            return found


def _show(accesses: "list[Access]", *, as_json: bool) -> None:
    rows = [
        (
            str(each.number),
            write_time(datetime.fromtimestamp(each.at_ms / 1000, UTC)),
            each.taker,
            each.purpose,
            ", ".join(item.field for item in each.handed),
            each.grant or f"break-glass {each.emergency}",
        )
        for each in accesses
    ]
    columns = ("no", "when", "who", "for", "what", "under")
    text = draw_table(columns, rows) if rows else "nobody has read anything"
    answer(msgspec.to_builtins(accesses), text, as_json=as_json)


def _count(proof: bytes) -> int:
    record = msgspec.json.decode(proof)["record"]
    return int(record["accesses"]) if record else 0


def _read_chain(data: bytes) -> str:
    try:
        return str(msgspec.json.decode(msgspec.json.decode(data)["log"])["chain"])
    except (msgspec.DecodeError, KeyError, TypeError, IndexError):
        return ""


command = build_group(
    APP, shown_as="grant", own=(give, withdraw, take, break_glass, review, log, check)
)
