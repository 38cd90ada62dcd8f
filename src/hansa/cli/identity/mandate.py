"""`hansa mandate`: give, withdraw, use and check authority to act for another. Asks the node.

`give` may put the deed into the signer's vault; the contract's own messages follow, derived.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli.acting import Act, act, collect_act
from hansa.cli.answers import NO, YES, answer, json_option
from hansa.cli.asking import open_gateway
from hansa.cli.derived import build_group, find_newest
from hansa.cli.fields import build_message, parse_json
from hansa.cli.place import Place, place_options, signer_option
from hansa.client.files import read_file
from hansa.client.transactions import Draft

if TYPE_CHECKING:  # loaded when a command runs
    from hansa.contracts.mandates.model import ActScope, Limit, Mandate
    from hansa.ledger.model import Message

APP: Final = "mandates"
DEED_BYTES_MAX: Final = 32 << 20
_CURRENCY: Final = "ISO 4217 code of the amounts."


def _give(**values: Any) -> int:
    from hansa.contracts.mandates.model import GiveMandate

    how = _collect(values)
    how.place.url()  # where comes before who
    signer = how.place.signer(how.signer_name)
    body = {
        "principal": how.place.did(values["principal"] or signer.account),
        "delegate": how.place.did(values["delegate"]),
        "scope": [read_scope(text) for text in values["scope"]],
        "purpose": values["purpose"],
        "limit": read_limit(values["currency"], values["per_act"], values["total"]),
        "since_ms": read_time(values["since"]),
        "until_ms": read_time(values["until"]),
        "depth": values["depth"],
        "parent": values["parent"],
        "document": _keep_deed(how, values["deed"]) if values["deed"] else "",
    }
    return act(how, [Draft(APP, build_message(GiveMandate, body))])


def _withdraw(mandate: str, reason: str, **values: Any) -> int:
    from hansa.contracts.mandates.model import WithdrawMandate

    body = {"mandate": mandate, "reason": reason}
    return act(_collect(values), [Draft(APP, build_message(WithdrawMandate, body))])


def _use(mandate: str, act_name: str, body: str, **values: Any) -> int:
    from hansa.contracts.mandates.model import UseMandate

    application, message = find_act(act_name)
    use = build_message(
        UseMandate,
        {
            "mandate": mandate,
            "application": application,
            "type": message.__name__,
            "amount": values["amount"],
            "currency": values["currency"],
        },
    )
    covered = build_message(message, parse_json(body, "--body"))
    how = _collect(values)
    return act(how, [Draft(APP, use), Draft(application, covered)])


def _list_options() -> list[click.Parameter]:
    """How to send, without a choice of the mode: a use and its act stand or fall together."""
    return [each for each in Act.options() if each.name != "mode"]


def _collect(values: dict[str, Any]) -> Act:
    return collect_act({**values, "mode": "atomic"})


give = click.Command(
    "give",
    callback=_give,
    params=[
        click.Argument(["delegate"], metavar="TO"),
        click.Option(
            ["--scope"],
            multiple=True,
            required=True,
            metavar="APP[:TYPE,…]",
            help="What for: message types of an application, or all of it.",
        ),
        click.Option(["--purpose"], required=True, help="Reason code: a-z 0-9 _ . -"),
        click.Option(["--for", "principal"], metavar="DID|NAME", help="[default: the signer]"),
        click.Option(["--currency"], default="", help=_CURRENCY),
        click.Option(
            ["--per-act"], type=click.IntRange(0), help="At most, for one act (minor units)."
        ),
        click.Option(["--total"], type=click.IntRange(0), help="At most, in sum (minor units)."),
        click.Option(["--since"], metavar="TIME", help="ISO 8601, UTC.  [default: now]"),
        click.Option(["--until"], metavar="TIME", help="ISO 8601, UTC.  [default: no end]"),
        click.Option(["--depth"], type=click.IntRange(0, 4), default=0, help="Levels given on."),
        click.Option(["--parent"], default="", metavar="ID", help="The mandate to give on from."),
        click.Option(
            ["--deed"],
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="The deed: kept in the signer's vault, with a commitment on the ledger.",
        ),
        *_list_options(),
    ],
    help="""Give an account or a member authority to act for the signer, or give it on.

    For a member an administrator signs, or an account with the role mandates.signatory. Nothing
    given on goes beyond what was given; what is disposed of counts on every mandate above.

    \b
    Examples:
      hansa mandate give clerk --scope e-invoice:ReimburseInvoice --purpose claims --depth 1
      hansa mandate give lawyer --scope e-invoice --purpose defence --deed deed.pdf
      hansa mandate give clerk --scope e-invoice --purpose cash --currency CNY --total 100000
    """,
    short_help="Give authority to act for the signer, or give it on.",
)

withdraw = click.Command(
    "withdraw",
    callback=_withdraw,
    params=[
        click.Argument(["mandate"], metavar="ID"),
        click.Option(["--reason"], default="withdrawn", show_default=True, help="Reason code."),
        *_list_options(),
    ],
    help="""Withdraw a mandate at once, or give back one's own; what hangs below ends with it.

    \b
    Example:
      hansa mandate withdraw 5f2c…-0 --reason left
    """,
    short_help="Withdraw a mandate at once, or give it back.",
)

use = click.Command(
    "use",
    callback=_use,
    params=[
        click.Argument(["mandate"], metavar="ID"),
        click.Argument(["act_name"], metavar="APP.TYPE"),
        click.Option(["--body"], required=True, metavar="JSON|@FILE", help="The act's message."),
        click.Option(["--amount"], type=click.IntRange(0), default=0, help="What it disposes of."),
        click.Option(["--currency"], default="", help=_CURRENCY),
        *_list_options(),
    ],
    help="""Act under a mandate: its use and the act, in one atomic transaction.

    The application must ask for mandates where it asks who sends (view may_act, ADR 17).

    \b
    Example:
      hansa mandate use 5f2c…-0 e-invoice.PostInvoice --body @post.json --amount 100 --currency CNY
    """,
    short_help="Act under a mandate.",
)


@click.command("check")
@click.argument("mandate", metavar="ID")
@click.argument("act_name", metavar="APP.TYPE")
@click.option("--amount", type=click.IntRange(0), default=0, help="What it would dispose of.")
@click.option("--currency", default="", help=_CURRENCY)
@click.option("--at", metavar="TIME", help="ISO 8601, UTC.  [default: the ledger's time]")
@signer_option
@place_options
@json_option
def check(
    mandate: str,
    act_name: str,
    amount: int,
    currency: str,
    at: str | None,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Ask whether a mandate, and all above it, would allow an act. Counts nothing.

    Exit code 0 yes, 1 no. Whether the parties are in good standing is judged when it is used.

    \b
    Example:
      hansa mandate check 5f2c…-0 e-invoice.ReimburseInvoice --amount 100 --currency CNY
    """
    from hansa.contracts.mandates.chain import check_act, explain_end
    from hansa.contracts.mandates.rejections import MandatesRejection, NotLive

    application, message = find_act(act_name)
    with open_gateway(place, signer_name) as gateway:
        time_ms = read_time(at) if at else gateway.league().time_ms
        chain = []
        wanted = mandate
        while wanted:
            chain.append(_read_mandate(gateway.record(APP, "mandate", wanted), wanted))
            wanted = chain[-1].parent
    try:
        for each in chain:
            if why := explain_end(each, time_ms or 0):
                raise NotLive(mandate=each.id, why=why)
        check_act(tuple(chain), application, message.__name__, amount, currency)
    except MandatesRejection as refused:
        document = {"may_act": False, "code": refused.code, "text": refused.text}
        answer(document, f"NO: {refused.code}: {refused.text}", as_json=as_json)
        return NO
    levels = [each.id for each in chain]
    text = f"YES: {chain[0].delegate} may, for {chain[0].principal}"
    answer({"may_act": True, "chain": levels}, text, as_json=as_json)
    return YES


def read_scope(text: str) -> "ActScope":
    """`APP` or `APP:TYPE,TYPE`."""
    from hansa.contracts.mandates.model import ActScope

    application, _colon, types = text.partition(":")
    return ActScope(
        application=application.replace("-", "_"),
        types=tuple(each.strip() for each in types.split(",") if each.strip()),
    )


def read_limit(currency: str, per_act: int | None, total: int | None) -> "Limit | None":
    """The limit of the options. Raises click.UsageError for an amount without a currency."""
    from hansa.contracts.mandates.model import Limit

    if per_act is None and total is None:
        return None
    if not currency:
        raise click.UsageError("--per-act and --total need a --currency")
    return Limit(currency=currency, per_act=per_act, total=total)


def read_time(text: str | None) -> int | None:
    """ISO 8601 to ms since 1970; UTC unless it says otherwise. Raises click.UsageError."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(
            f"{text!r} is no time: write 2026-12-31 or 2026-12-31T18:00Z"
        ) from error
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(known.timestamp()) * 1_000 + known.microsecond // 1_000


def find_act(text: str) -> "tuple[str, type[Message]]":
    """Application and message type of `APP.TYPE`. Raises click.UsageError."""
    from hansa.catalog import CIVIC, SYSTEM, load_application

    application, _dot, name = text.partition(".")
    application = application.replace("-", "_")
    if application not in SYSTEM | CIVIC:
        raise click.UsageError(f"write APP.TYPE, such as e-invoice.ReimburseInvoice, not {text!r}")
    messages = {each.__name__: each for each in find_newest(load_application(application))}
    if name not in messages:
        raise click.UsageError(f"{application} has no message {name!r}: {', '.join(messages)}")
    return application, messages[name]


def _read_mandate(record: dict[str, Any] | None, mandate: str) -> "Mandate":
    import msgspec

    from hansa.contracts.mandates.model import Mandate
    from hansa.contracts.mandates.rejections import NoSuchMandate

    if record is None:
        raise NoSuchMandate(mandate=mandate)
    return msgspec.convert(record, Mandate)


def _keep_deed(how: Act, path: Path) -> str:
    from hansa.cli.vaults import open_own
    from hansa.encoding.text import encode_base64url

    content = read_file(path, DEED_BYTES_MAX)
    return encode_base64url(open_own(how.place, how.signer_name).put(content).commitment)


command = build_group(APP, shown_as="mandate", own=(give, withdraw, use, check))
