"""`hansa credential request`: ask a wallet for credentials, by OpenID4VP. Asks the gateway."""

import time
from pathlib import Path
from typing import Any, Final

import click

from hansa.cli.answers import NO, UNJUDGED, YES, answer, hint
from hansa.cli.identity.known_schemas import find_schema
from hansa.cli.identity.wallet_codes import code_options, tell_code
from hansa.cli.identity.wallet_offers import clerk_options, open_desk
from hansa.cli.place import find_place
from hansa.client.credentials import WrongCredential
from hansa.client.files import read_file
from hansa.client.openid import WalletDesk
from hansa.identity.faults import Malformed
from hansa.identity.json_document import DOCUMENT_BYTES_MAX, parse_document
from hansa.identity.statement import SCHEMA_URN

MINUTE_MS: Final = 60_000
_POLL_S: Final = 1.0
_EXITS: Final = {"yes": YES, "no": NO, "could_not_judge": UNJUDGED}
_MARKS: Final = {"passed": "✓", "failed": "✗", "not_judged": "?"}


@click.pass_context
def _request(context: click.Context, /, svg: Path | None, force: bool, **values: Any) -> int | None:
    if context.invoked_subcommand is not None:
        return None
    if (values["dcql"] is None) == (values["schema"] is None):
        raise click.UsageError("give --dcql FILE, or --schema NAME with --claim NAME")
    place = find_place(values["league"], values["node"])
    with open_desk(place, values["signer_name"]) as desk:
        made = desk.request(
            {
                "dcql_query": build_query(desk, values),
                "demands": build_demands(values),
                "response_mode": "direct_post.jwt" if values["is_encrypted"] else "direct_post",
                "lasts_ms": values["minutes"] * MINUTE_MS,
            }
        )
        text = tell_code(made["uri"], svg, force=force)
        if not values["is_waiting"]:
            answer(made, text, as_json=values["as_json"])
            hint(f"what is answered: hansa credential request show {made['id']}")
            return YES
        hint(text)
        found = _await(desk, made["id"])
    return _tell(found, as_json=values["as_json"])


def build_query(desk: WalletDesk, values: dict[str, Any]) -> dict[str, Any]:
    """The query of a file, or of a schema and claims of it. Raises WrongCredential."""
    if values["dcql"] is not None:
        try:
            return parse_document(read_file(values["dcql"], DOCUMENT_BYTES_MAX))
        except Malformed as why:
            raise WrongCredential(
                f"{values['dcql']} is no query: {why.text}", "write a JSON object, as DCQL has it"
            ) from why
    record = find_schema(desk, values["schema"]).record
    if record is None:
        raise WrongCredential("the schema has no published version", "hansa schema list")
    claims = [{"path": each.split(".")} for each in values["claims"]]
    vct = record["vct"] or SCHEMA_URN + record["id"]
    query = {"id": "credential", "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}}
    return {"credentials": [{**query, "claims": claims} if claims else query]}


def build_demands(values: dict[str, Any]) -> dict[str, Any]:
    """What the credentials must be beside the query."""
    return {
        "issuers": list(values["issuers"]),
        "need_accreditation": values["need_accreditation"],
        "anchors": list(values["anchors"]),
        "jurisdiction": values["jurisdiction"],
        "need_status": values["need_status"],
    }


def _await(desk: WalletDesk, id_: str) -> dict[str, Any]:
    while True:
        found = desk.see_request(id_)
        if found["state"] != "waiting":
            return found
        time.sleep(_POLL_S)


def _show(id_: str, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    with open_desk(place, values["signer_name"]) as desk:
        found = desk.see_request(id_)
    return _tell(found, as_json=values["as_json"])


def _tell(found: dict[str, Any], *, as_json: bool) -> int:
    said = found.get("answer")
    answer(found, format_answer(found), as_json=as_json)
    if said is None:
        return NO if found["state"] == "expired" else UNJUDGED
    return _EXITS[said["outcome"]]


def format_answer(found: dict[str, Any]) -> str:
    """What was answered, check by check."""
    said = found.get("answer")
    if said is None:
        return str(found["state"])
    lines = [f"{found['state']}: {said['outcome'].replace('_', ' ')}"]
    if said["error"]:
        lines.append(f"  the wallet says: {said['error']}")
    lines += [f"  ✗ {query}: {code}" for query, code in said["faults"]]
    for each in said["presentations"]:
        lines.append(f"  {each['query']}, by {', '.join(each['issuers'])}")
        lines += [
            f"    {_MARKS[check['outcome']]} {check['name'].replace('_', ' ')}: {check['text']}"
            for check in each["checks"]
            if check["code"] != "not_asked"
        ]
        for claims in each["claims"]:
            lines += [f"    {name} = {value}" for name, value in claims.items()]
    return "\n".join(lines)


_DEMANDS: Final[list[click.Parameter]] = [
    click.Option(
        ["--dcql"],
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="What is asked for, in DCQL.",
    ),
    click.Option(["--schema"], metavar="ID|NAME|NAME@VERSION", help="Instead: SD-JWT VCs of it."),
    click.Option(["--claim", "claims"], multiple=True, metavar="NAME", help="A claim: a or a.b."),
    click.Option(
        ["--issuer", "issuers"], multiple=True, metavar="DID", help="One of these issued."
    ),
    click.Option(["--anchor", "anchors"], multiple=True, metavar="ID", help="A root you trust."),
    click.Option(["--jurisdiction"], default="", metavar="CC", help="Where it is to count."),
    click.Option(
        ["--accreditation/--no-accreditation", "need_accreditation"],
        default=True,
        help="Its issuer must be entitled, then and now.  [default: yes]",
    ),
    click.Option(["--need-status"], is_flag=True, help="What nobody can revoke is a no."),
    click.Option(["--encrypted", "is_encrypted"], is_flag=True, help="Have the answer encrypted."),
    click.Option(
        ["--minutes"],
        type=click.IntRange(1, 60),
        default=10,
        show_default=True,
        help="How long it stands.",
    ),
    click.Option(["--wait", "is_waiting"], is_flag=True, help="Wait for the answer, and show it."),
]
request = click.Group(
    "request",
    params=[*_DEMANDS, *code_options(), *clerk_options()],
    callback=_request,
    invoke_without_command=True,
    help="Ask a wallet for credentials: a code to scan (OpenID4VP 1.0, DCQL).\n\n"
    "The gateway signs the request by its key (serve-wallets) and judges the answer, as\n"
    "`hansa credential verify` does. What was shown is kept for ten minutes.\n\n"
    "\b\nExamples:\n"
    "  hansa credential request --schema degree --claim degree --wait --as porter\n"
    "  hansa credential request --dcql query.json --svg ask.svg --as porter\n"
    "  hansa credential request show 6oXk… --as porter",
    short_help="Ask a wallet for credentials, as a code.",
)
request.add_command(
    click.Command(
        "show",
        params=[click.Argument(["id_"], metavar="ID"), *clerk_options()],
        callback=_show,
        help="Show what a wallet answered, check by check.\n\n"
        "Exit code 0 yes, 1 no (or declined, or over), 2 not answered or not to be judged.\n\n"
        "\b\nExample:\n  hansa credential request show 6oXk… --as porter",
        short_help="Show what a wallet answered.",
    )
)
