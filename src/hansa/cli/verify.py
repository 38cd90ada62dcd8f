"""`hansa verify`: the offline verifier at the command line. Imports it and click, no more.

Exit code 0: every file says what its league's ledger says; 1: one does not; 2: could not judge.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hansa.cli.answers import NO, UNJUDGED, YES, answer, hint, json_option

if TYPE_CHECKING:
    from hansa.client.trust import Root
    from hansa.client.verify import Verdict
    from hansa.comet.light import Rules

# Longer content is cut where people read it.
CONTENT_MAX = 600
DAY_S = 86_400
_EXITS = {"yes": YES, "no": NO, "could_not_judge": UNJUDGED}
_SIGNS = {True: "✓", False: "✗", None: "?"}
_WORDS = {
    "yes": "YES",
    "no": "NO: this file is not what the ledger says",
    "could_not_judge": "COULD NOT JUDGE",
}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    metavar="ROOT",
    help="Trust this genesis (file or league's folder) or checkpoint instead of what is pinned.",
)
@click.option(
    "--trust-days",
    type=click.IntRange(min=1, max=36_500),
    metavar="DAYS",
    help="How long a trust root vouches for later headers.  [default: 1095]",
)
@click.option(
    "--accepted",
    is_flag=True,
    help="Also answer no (1) when the ledger proves that it REFUSED the message.",
)
@click.option(
    "--max-age",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="DAYS",
    help="How old the facts of a bundle may be; 0: any age.",
)
@json_option
def command(
    files: tuple[Path, ...],
    trust: Path | None,
    trust_days: int | None,
    accepted: bool,
    max_age: int,
    as_json: bool,
) -> int:
    """Check receipts, proofs, checkpoints, bundles and evidence, offline.

    Needs no network, no node, no account: only the file, and a trust root that was pinned before
    (hansa trust add GENESIS) or is given with --trust. Says step by step what it checked, which
    root it trusted and over how many headers. A proved refusal is a yes too: the file says what
    the ledger says. Scripts that act on it want --accepted. A bundle holds a credential and what
    judges it; what more a verifier may ask for: hansa credential verify --help.

    \b
    Examples:
      hansa verify receipt.json
      hansa verify *.json --json
      hansa verify receipt.json --trust genesis.json
      hansa verify --accepted receipt.json && echo pay
    """
    from hansa.comet.light import RULES, Rules

    find_trust = build_finder(trust)
    rules = RULES if trust_days is None else Rules(trust_period_s=trust_days * DAY_S)
    verdicts = [(path, _judge(path, find_trust, rules, max_age)) for path in files]
    document = [_describe(path, verdict) for path, verdict in verdicts]
    text = "\n\n".join(format_verdict(path, verdict) for path, verdict in verdicts)
    answer(document, text, as_json=as_json)
    exits = {_EXITS[verdict.outcome] for _path, verdict in verdicts}
    if accepted and any(verdict.accepted is False for _path, verdict in verdicts):
        exits.add(NO)
    if UNJUDGED in exits and trust is None:
        hint("hansa trust list shows what is pinned; hansa trust add GENESIS pins a league")
    return NO if NO in exits else UNJUDGED if UNJUDGED in exits else YES


def _judge(path: Path, find_trust: Any, rules: "Rules", max_age: int) -> "Verdict":
    """Evidence files have a judge of their own, asked when a file is none of the others."""
    from hansa.client.verify import verify_file

    policy = build_policy(max_age)
    verdict = verify_file(path, find_trust, rules=rules, policy=policy)
    if verdict.steps[0].ok is not False:
        return verdict
    from hansa.client.evidence import FILE_BYTES_MAX, decode_evidence
    from hansa.client.faults import ClientError
    from hansa.client.files import read_file

    try:
        data = read_file(path, FILE_BYTES_MAX)
        decode_evidence(data)
    except ClientError:
        return verdict
    from hansa.client.evidence_verdict import verify_evidence

    return verify_evidence(data, find_trust, rules=rules)


def build_policy(max_age_days: int) -> Any:
    """What is asked of a bundle's credential; None, the usual, where nothing was said."""
    if max_age_days == 1:
        return None
    from hansa.identity.report import Policy

    return Policy(max_age_ms=max_age_days * DAY_S * 1000 or None)


def build_finder(trust: Path | None) -> Any:
    """What gives the trust roots of a chain: the one named, else those pinned for this user."""
    from hansa.client.trust import TrustError, TrustStore

    if trust is None:
        return TrustStore().load_roots
    from hansa.cli.trust import read_root

    try:
        root = read_root(trust)
    except OSError as error:
        raise TrustError(
            f"cannot read {trust}: {error.strerror}",
            "give the path of a genesis.json, or of a checkpoint",
        ) from error

    def find(_chain: str) -> "tuple[Root, ...]":
        return (root,)

    return find


def _describe(path: Path, verdict: "Verdict") -> dict[str, Any]:
    import msgspec

    described: dict[str, Any] = msgspec.to_builtins(verdict)
    return {"file": str(path), **described}


def format_verdict(path: Path, verdict: "Verdict") -> str:
    """A verdict for people: each step, then the word."""
    lines = [f"{path}"]
    lines.extend(f"  {_SIGNS[step.ok]} {step.name}: {step.text}" for step in verdict.steps)
    word = _WORDS[verdict.outcome]
    if verdict.kind in ("bundle", "credential", "evidence") and verdict.outcome == "no":
        word = "NO: what is marked ✗ does not hold"
    if verdict.outcome == "yes" and verdict.there is not None:
        has = "has" if verdict.there else "has NO"
        word += f": the state after block {verdict.height} {has} {verdict.key}"
    if verdict.outcome == "yes" and verdict.accepted is False:
        word += f": the ledger REFUSED this message ({verdict.code})"
    elif verdict.outcome == "yes" and verdict.accepted:
        word += ": the ledger accepted this message"
    if verdict.outcome == "yes" and verdict.content is not None:
        what = "message" if verdict.there is None else "record"
        what = "proved" if verdict.kind in ("bundle", "credential") else what
        lines.append(f"  {what}: {format_content(verdict.content)}")
    return "\n".join([*lines, f"  {word}"])


def format_content(content: Any) -> str:
    """Content as one short line of JSON, plain values first; --json has it whole."""
    import json

    from hansa.client.verify import show

    if isinstance(content, dict) and content.keys() == {"app", "body", "sender", "type"}:
        content = content["body"]  # the steps say who sent what
    return show(json.dumps(_put_plain_first(content), ensure_ascii=False), CONTENT_MAX)


def _put_plain_first(value: Any) -> Any:
    if isinstance(value, list):
        return [_put_plain_first(each) for each in value]
    if not isinstance(value, dict):
        return value
    ordered = sorted(value.items(), key=lambda item: isinstance(item[1], dict | list))
    return {name: _put_plain_first(each) for name, each in ordered}
