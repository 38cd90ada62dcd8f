"""`hansa credential verify`: the one judgement, with facts fetched and proved, or from a bundle.

What a node says is never believed: every fact is held to the pinned trust root.
"""

from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import NO, UNJUDGED, YES, answer, hint
from hansa.cli.asking import open_gateway, reader_option
from hansa.cli.identity.acts import Moment
from hansa.cli.identity.credential_issue import read_now_ms
from hansa.cli.place import find_place
from hansa.cli.verify import build_finder, format_verdict
from hansa.client.bundle_verdict import judge_document, judge_report
from hansa.client.bundles import BundleFile
from hansa.client.bundling import collect_bundle
from hansa.client.facts import build_sources
from hansa.client.files import read_file
from hansa.client.receipts import FILE_BYTES_MAX, encode_file
from hansa.client.verdict import Verdict
from hansa.client.verify import verify_receipt
from hansa.comet.wire import Timestamp
from hansa.identity.report import Policy, Sources
from hansa.identity.resolved import Unresolvable
from hansa.identity.verify import verify

DAY_MS: Final = 86_400_000
_EXITS: Final = {"yes": YES, "no": NO, "could_not_judge": UNJUDGED}
_MARK: Final = b'"kind":"hansa.bundle/1"'


def _verify(file: Path, trust: Path | None, at_ms: int | None, **values: Any) -> int:
    data = read_file(file, FILE_BYTES_MAX)
    policy = build_policy(values)
    now_ms = read_now_ms()
    moment_ms = now_ms if at_ms is None else at_ms
    if _MARK not in data:
        place = find_place(values["league"], values["node"])
        with open_gateway(place, values["signer_name"]) as gateway:
            found = collect_bundle(gateway, data, policy, moment_ms)
        if found is None:
            return _tell_plain(file, data, policy, moment_ms, as_json=values["as_json"])
        data = encode_file(found)
    bundle = read_bundle(data)
    roots = build_finder(trust)(bundle.chain) if bundle is not None else ()
    now = Timestamp.from_ms(now_ms)
    verdict = verify_receipt(data, roots, now=now, policy=policy, at_ms=at_ms)
    report = None if bundle is None else judge_document(bundle, moment_ms, policy)
    document = {"file": str(file), **msgspec.to_builtins(verdict)}
    document["checks"] = [] if report is None else msgspec.to_builtins(report.checks)
    answer(document, format_verdict(file, verdict), as_json=values["as_json"])
    return _close(verdict)


def _tell_plain(file: Path, data: bytes, policy: Policy, at_ms: int, *, as_json: bool) -> int:
    """Of a document that asks for no fact of the ledger: it is malformed, or of other issuers."""
    report = verify(data, sources=_build_no_sources(at_ms), policy=policy, at_ms=at_ms)
    verdict = Verdict(outcome=report.outcome, steps=judge_report(report), kind="credential")
    document = {"file": str(file), **msgspec.to_builtins(verdict)}
    document["checks"] = msgspec.to_builtins(report.checks)
    answer(document, format_verdict(file, verdict), as_json=as_json)
    return _close(verdict)


def _close(verdict: Verdict) -> int:
    if verdict.outcome == "could_not_judge":
        hint("what could not be judged is marked ?; hansa trust list shows what is pinned")
    return _EXITS[verdict.outcome]


def read_bundle(data: bytes) -> BundleFile | None:
    """The bundle in these bytes; None when there is none."""
    try:
        return msgspec.json.decode(data, type=BundleFile)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def build_policy(values: dict[str, Any]) -> Policy:
    """The policy of the options."""
    days = values["max_age_days"]
    return Policy(
        audience=values["audience"],
        nonce=values["nonce"],
        need_holder=values["need_holder"],
        issuers=values["issuers"],
        cosigners=values["cosigners"],
        schemas=values["schemas"],
        types=values["types"],
        suites=values["suites"],
        need_accreditation=values["need_accreditation"],
        anchors=frozenset(values["anchors"]) or None,
        jurisdiction=values["jurisdiction"],
        need_status=values["need_status"],
        accept_ended_keys=values["accept_ended_keys"],
        max_age_ms=None if days == 0 else days * DAY_MS,
    )


def _build_no_sources(now_ms: int) -> Sources:
    def read(key: str) -> bytes | None:
        raise Unresolvable(key)

    return build_sources(read, height=0, known_ms=now_ms)


def policy_options() -> list[click.Parameter]:
    """What a verifier asks for."""

    def several(name: str, target: str, help_: str) -> click.Option:
        return click.Option([name, target], multiple=True, metavar="ID", help=help_)

    return [
        click.Option(["--audience"], default="", help="It must be presented to this audience."),
        click.Option(["--nonce"], default="", help="It must answer this nonce."),
        click.Option(["--need-holder"], is_flag=True, help="A bare credential is a no."),
        several("--issuer", "issuers", "One of these DIDs issued it."),
        several("--cosigner", "cosigners", "Each of these DIDs signed it too."),
        several("--schema", "schemas", "One of these schemas: id or NAME:MAJOR."),
        several("--type", "types", "One of these types."),
        several("--suite", "suites", "Only these suites: eddsa-jcs-2022, EdDSA, SM2, …"),
        several("--anchor", "anchors", "A root that you trust.  [default: every one]"),
        click.Option(["--jurisdiction"], default="", metavar="CC", help="Where it is to count."),
        click.Option(
            ["--accreditation/--no-accreditation", "need_accreditation"],
            default=True,
            help="Its issuer must be entitled, then and now.  [default: yes]",
        ),
        click.Option(["--need-status"], is_flag=True, help="What nobody can revoke is a no."),
        click.Option(
            ["--accept-ended-keys"],
            is_flag=True,
            help="Believe an issuer that it signed before its key ended.",
        ),
        click.Option(
            ["--max-age", "max_age_days"],
            type=click.IntRange(min=0),
            default=1,
            show_default=True,
            metavar="DAYS",
            help="How old the facts may be; 0: any age.",
        ),
    ]


command = click.Command(
    "verify",
    params=[
        click.Argument(
            ["file"], metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
        ),
        *policy_options(),
        click.Option(["--at", "at_ms"], type=Moment(), help="As at this time.  [default: now]"),
        click.Option(
            ["--trust"],
            type=click.Path(path_type=Path),
            metavar="ROOT",
            help="Trust this genesis or checkpoint instead of what is pinned.",
        ),
        reader_option(),
        *place_parameters(),
        json_parameter(),
    ],
    callback=_verify,
    help="Judge a credential, a presentation or a bundle, check by check.\n\n"
    "A bundle is judged offline. For anything else the facts are fetched from the node, each with\n"
    "its proof, and held to the pinned trust root; the document itself is not sent. Exit code 0\n"
    "yes, 1 no, 2 could not judge.\n\n"
    "\b\nExamples:\n"
    "  hansa credential verify ada.vc.json\n"
    "  hansa credential verify shown.sd-jwt --audience bank --nonce 7c1f --need-holder\n"
    "  hansa credential verify bundle.json --trust genesis.json",
    short_help="Judge a credential, presentation or bundle.",
)
