"""`hansa evidence`: put commitments to files on record, prove each offline, time-stamp them.

Reads the files named, asks the node to record and to answer; `verify` needs neither node nor key.
The contract's own messages follow, derived.
"""

import shlex
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli.acting import judge_status, sign_drafts, tell_status
from hansa.cli.answers import NO, UNJUDGED, YES, Screen, answer, count_of, hint, json_option
from hansa.cli.asking import open_gateway
from hansa.cli.derived import build_group
from hansa.cli.place import Place, place_options, signer_option
from hansa.cli.verify import build_finder, format_verdict
from hansa.client.files import read_file, store_new
from hansa.client.transactions import Draft

if TYPE_CHECKING:  # loaded when a command runs
    from hansa.client.evidence import EvidenceFile
    from hansa.client.gateway import Gateway
    from hansa.client.keys import Signer
    from hansa.client.replies import TransactionStatus

APP: Final = "evidence"
WAIT_S: Final = 30.0
# A document to compare is read whole.
DOCUMENT_BYTES_MAX: Final = 1 << 30
CERTIFICATES_BYTES_MAX: Final = 1 << 20
_EXITS: Final = {"yes": YES, "no": NO, "could_not_judge": UNJUDGED}

_timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), default=WAIT_S, show_default=True, help="Seconds."
)
_path = click.Path(path_type=Path)
_file_argument = click.argument("path", metavar="FILE", type=_path)
_documents = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("add")
@click.argument("documents", nargs=-1, required=True, type=_documents, metavar="FILES…")
@click.option("-o", "--output", type=_path, metavar="FILE", help="The evidence file to write.")
@click.option("--each", type=_path, metavar="DIR", help="Also write a file for each item here.")
@click.option("--name", default="", help="The owner's own key for it (default: the value).")
@click.option("--public", is_flag=True, help="Plain digests: only for documents that are public.")
@_timeout_option
@signer_option
@place_options
@json_option
def add(
    documents: tuple[Path, ...],
    output: Path | None,
    each: Path | None,
    name: str,
    public: bool,
    timeout: float,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Put evidence of files on record: one commitment, or one root over up to 10,000.

    The ledger gets 32 bytes, of which nobody can guess a document: each is hashed with a random
    salt of its own. Salts, paths and the ledger's receipt go into the evidence file; keep it like
    the documents, for without it nothing is proved. With --public there are no salts: enough for
    what anybody may read, such as a law, a tender or a release, and never for a person's files.

    --each writes a further file for each item, to be handed on: it says nothing of the others.

    \b
    Examples:
      hansa evidence add contract.pdf
      hansa evidence add archive/*.xml -o archive.evidence.json --each proofs
      hansa evidence add --public tender.pdf
    """
    from hansa.client.evidence import build_file
    from hansa.client.evidence_files import SUFFIX, commit_documents, read_evidence, write_each

    target = output or Path(f"{documents[0].name}{SUFFIX}")
    if target.exists():
        known = read_evidence(target)
        state = "recorded" if known.is_recorded else "begun"
        text = f"{target} is there: evidence that was {state}"
        cure = "choose another --output" if known.is_recorded else f"hansa evidence finish {target}"
        raise click.UsageError(f"{text}; {cure}")
    place.url()  # where comes before who
    signer = place.signer(signer_name)
    progress = Screen(as_json=as_json).progress
    with place.gateway(signer) as gateway:
        chain = gateway.league().chain
        begun = perf_counter()
        items = commit_documents(documents, public=public, progress=progress)
        file = build_file(chain, signer.account, items, name)
        seconds = perf_counter() - begun
        status, file = _settle(gateway, signer, target, file, timeout)
    if judge_status(status) != YES:
        hint(f"its salts are kept: hansa evidence finish {shlex.quote(str(target))}")
        return tell_status(status, as_json=as_json)
    written = write_each(file, each) if each is not None else 0
    rate = round(len(items) / seconds)
    answer(
        {**_describe(target, file), "seconds": seconds, "items_per_s": rate, "written": written},
        f"{target}: {count_of(len(items), 'item')} on record as {file.form} {file.id}\n"
        f"  {rate:,} items/s read, committed to and put under the root",
        as_json=as_json,
    )
    hint(f"check it, without any node: hansa evidence verify {shlex.quote(str(target))}")
    return YES


@click.command("finish")
@_file_argument
@_timeout_option
@signer_option
@place_options
@json_option
def finish(path: Path, timeout: float, signer_name: str | None, place: Place, as_json: bool) -> int:
    """Go on with an evidence file that has no receipt yet. Safe to repeat.

    \b
    Example:
      hansa evidence finish contract.pdf.evidence.json
    """
    from hansa.client.evidence import WrongEvidence
    from hansa.client.evidence_files import read_evidence

    file = read_evidence(path)
    if file.is_recorded:
        answer(_describe(path, file), f"{path} has its receipt", as_json=as_json)
        return YES
    place.url()
    signer = place.signer(signer_name)
    if signer.account != file.owner:
        raise WrongEvidence(f"the evidence is of {file.owner}", "give that account with --as")
    with place.gateway(signer) as gateway:
        status, file = _settle(gateway, signer, path, file, timeout)
    if judge_status(status) != YES:
        return tell_status(status, as_json=as_json)
    answer(_describe(path, file), f"{path}: on record as {file.id}", as_json=as_json)
    return YES


@click.command("split")
@_file_argument
@click.argument("folder", metavar="DIR", type=_path)
@click.argument("names", nargs=-1, metavar="[NAMES…]")
@json_option
def split(path: Path, folder: Path, names: tuple[str, ...], as_json: bool) -> int:
    """Write a file for each item (or those named), to hand on: each says nothing of the others.

    \b
    Example:
      hansa evidence split archive.evidence.json proofs deed-17.xml
    """
    from hansa.client.evidence import WrongEvidence
    from hansa.client.evidence_files import read_evidence, write_each

    file = read_evidence(path)
    missing = set(names) - {item.name for item in file.items}
    if missing:
        raise WrongEvidence(
            f"there is no item {min(missing)}", "write the names as the file has them"
        )
    written = write_each(file, folder, frozenset(names))
    document = {"folder": str(folder), "written": written}
    answer(document, f"{folder}: {count_of(written, 'file')} written", as_json=as_json)
    return YES


@click.command("verify")
@_file_argument
@click.option(
    "--document", "documents", multiple=True, type=_documents, help="Hold a document to it."
)
@click.option("--tsa", multiple=True, type=_documents, help="Root of a time-stamping authority.")
@click.option(
    "--trust",
    type=_path,
    metavar="ROOT",
    help="Trust this genesis (file or league's folder) or checkpoint instead of what is pinned.",
)
@json_option
def verify(
    path: Path,
    documents: tuple[Path, ...],
    tsa: tuple[Path, ...],
    trust: Path | None,
    as_json: bool,
) -> int:
    """Check an evidence file, offline: receipt, root, items, documents, time-stamps.

    Needs no network, no node, no account: a pinned trust root (hansa trust add), and for
    time-stamps the certificates of authorities that you trust (--tsa, PEM or DER; a certificate is
    judged at the token's time, its later revocation is not). Whether a signature was revoked since
    is said as at the block whose proofs the file has (hansa evidence status FILE --keep), if any.

    \b
    Examples:
      hansa evidence verify contract.pdf.evidence.json --document contract.pdf
      hansa evidence verify archive.evidence.json --tsa bay-tsa.pem --trust genesis.json
    """
    import msgspec

    from hansa.client.evidence import FILE_BYTES_MAX
    from hansa.client.evidence_verdict import verify_evidence

    contents = {}
    for each in documents:
        name = each.name if each.name not in contents else str(each)
        contents[name] = read_file(each, DOCUMENT_BYTES_MAX)
    verdict = verify_evidence(
        read_file(path, FILE_BYTES_MAX),
        build_finder(trust),
        documents=contents,
        authorities=_load_roots(tsa),
    )
    described: dict[str, Any] = {"file": str(path), **msgspec.to_builtins(verdict)}
    answer(described, format_verdict(path, verdict), as_json=as_json)
    if verdict.outcome == "yes" and not documents:
        hint("no document was compared: add --document FILE")
    return _EXITS[verdict.outcome]


@click.command("stamp")
@_file_argument
@click.option("--ask", type=_path, metavar="OUT.tsq", help="Write a query for an authority.")
@click.option("--token", type=_documents, metavar="FILE.tsr", help="Its answer: check and keep it.")
@click.option("--asked", type=_documents, metavar="OUT.tsq", help="The query: holds the nonce.")
@click.option("--tsa", multiple=True, type=_documents, help="Root of the authority (PEM or DER).")
@json_option
def stamp(
    path: Path,
    ask: Path | None,
    token: Path | None,
    asked: Path | None,
    tsa: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Have evidence time-stamped by an authority (RFC 3161), and keep its token in the file.

    What is stamped are the 32 bytes that are on the ledger. To have the token on the ledger too:
    hansa evidence attach-token.

    \b
    Examples:
      hansa evidence stamp deed.evidence.json --ask deed.tsq
      curl -H 'Content-Type: application/timestamp-query' --data-binary @deed.tsq URL > deed.tsr
      hansa evidence stamp deed.evidence.json --token deed.tsr --asked deed.tsq --tsa tsa.pem
    """
    from msgspec.structs import replace

    from hansa.client.evidence_files import read_evidence, store_evidence
    from hansa.client.timestamps import WrongToken, build_request, check_token, read_nonce
    from hansa.contracts.evidence.model import TOKEN_BYTES_MAX

    if (ask is None) == (token is None):
        raise click.UsageError("give --ask to write a query, or --token to keep an answer")
    file = read_evidence(path)
    if ask is not None:
        store_new(ask, build_request(file.value), mode=0o644, replace=True)
        answer({"file": str(ask)}, f"{ask}: send it to the authority", as_json=as_json)
        return YES
    if not tsa or token is None:
        raise click.UsageError("give the authority's root with --tsa")
    data = read_file(token, TOKEN_BYTES_MAX)
    nonce = read_nonce(read_file(asked, TOKEN_BYTES_MAX)) if asked is not None else None
    try:
        found = check_token(data, file.value, _load_roots(tsa), nonce=nonce)
    except WrongToken as error:
        document = {"stamped": False, "reason": error.reason, "text": error.text}
        answer(document, f"NO: {error.reason}: {error.text}", as_json=as_json)
        return NO
    if data not in file.tokens:
        store_evidence(path, replace(file, tokens=(*file.tokens, data)))
    answer(
        {"stamped": True, "time": found.time.isoformat(), "authority": found.authority},
        f"stamped at {found.describe()}",
        as_json=as_json,
    )
    return YES


@click.command("status")
@_file_argument
@click.option("--keep", is_flag=True, help="Keep proofs of it in the file, for offline checks.")
@signer_option
@place_options
@json_option
def status(path: Path, keep: bool, signer_name: str | None, place: Place, as_json: bool) -> int:
    """Ask the ledger who signed the evidence of a file, and whose signature stands now.

    With --keep the file takes along the ledger's proofs of that, as at now: verify then says so
    without a network. Exit code 0 when its owner's signature stands, 1 when not.

    \b
    Examples:
      hansa evidence status archive.evidence.json
      hansa evidence status archive.evidence.json --keep
    """
    from msgspec import Raw
    from msgspec.structs import replace

    from hansa.client.evidence import PROOFS_MAX
    from hansa.client.evidence_files import read_evidence, store_evidence

    file = read_evidence(path)
    with open_gateway(place, signer_name) as gateway:
        record = gateway.record(APP, "evidence", file.owner, file.id)
        filters = {"owner": file.owner, "id": file.id}
        page = gateway.records(APP, "signature", filters=filters, limit=200)
        standing = {item["signer"]: item["stands"][-1]["until_ms"] is None for item in page.items}
        signers = sorted(standing, key=lambda signer: signer != file.owner)[:PROOFS_MAX]
        proofs = [
            gateway.proof(APP, "signature", file.owner, file.id, signer).data
            for signer in (signers if keep else ())
        ]
    if keep:
        store_evidence(path, replace(file, proofs=tuple(map(Raw, proofs))))
    lines = [f"{signer}  {'stands' if ok else 'REVOKED'}" for signer, ok in standing.items()]
    if record is None:
        lines = [f"there is no evidence {file.id} of {file.owner}, or it is not yours to read"]
    document = {"evidence": record, "signers": standing, "proofs": len(proofs)}
    answer(document, "\n".join(lines), as_json=as_json)
    return YES if standing.get(file.owner) else NO


def _settle(
    gateway: "Gateway", signer: "Signer", path: Path, file: "EvidenceFile", timeout_s: float
) -> "tuple[TransactionStatus, EvidenceFile]":
    """Put the file's value on record, unless that was done, and keep the receipt in the file.

    The file with its salts is on disk before anything is sent: nothing is recorded that nobody
    can open.
    """
    import msgspec

    from hansa.client.evidence import build_message
    from hansa.client.evidence_files import store_evidence
    from hansa.ledger.transactions import decode_transaction

    found = gateway.status(file.transaction) if file.transaction else None
    if found is None or found.state == "unknown" or judge_status(found) == NO:
        data = sign_drafts(gateway, [signer], [Draft(APP, build_message(file))], "atomic")
        identity = decode_transaction(data).hex_id
        file = msgspec.structs.replace(file, transaction=identity)
        store_evidence(path, file)
        gateway.submit(data)
    found = gateway.wait(file.transaction, timeout_s)
    if judge_status(found) == YES:
        receipt = gateway.receipt(file.transaction, 0)
        file = msgspec.structs.replace(file, receipt=msgspec.Raw(receipt))
        store_evidence(path, file)
    return found, file


def _load_roots(paths: Iterable[Path]) -> tuple[Any, ...]:
    from hansa.client.timestamps import load_roots

    found = [load_roots(read_file(path, CERTIFICATES_BYTES_MAX)) for path in paths]
    return tuple(certificate for each in found for certificate in each)


def _describe(path: Path, file: "EvidenceFile") -> dict[str, Any]:
    from hansa.encoding.text import encode_base64url

    return {
        "file": str(path),
        "owner": file.owner,
        "id": file.id,
        "form": file.form,
        "value": encode_base64url(file.value),
        "items": file.total,
        "transaction": file.transaction,
        "recorded": file.is_recorded,
    }


command = build_group(APP, shown_as=APP, own=(add, verify, status, stamp, split, finish))
