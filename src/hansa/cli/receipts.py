"""`hansa receipt` and `hansa prove`: files that anyone can check offline. Asks the node."""

import shlex
from pathlib import Path

import click

from hansa.cli.answers import NO, YES, answer, count_of, hint, json_option
from hansa.cli.asking import check_id, find_record, open_gateway, resolve_key
from hansa.cli.place import Place, place_options, signer_option
from hansa.client.faults import Refused
from hansa.client.files import store_file
from hansa.client.gateway import NOT_FOUND

trusted_option = click.option(
    "--trusted",
    type=click.IntRange(min=0),
    default=0,
    metavar="HEIGHT",
    help="Have its headers lead from a checkpoint of this height.  [default: from genesis]",
)


@click.command("receipt")
@click.argument("transaction", metavar="ID")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option("--message", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@trusted_option
@signer_option
@place_options
@json_option
def command(
    transaction: str,
    output: Path,
    message: int,
    force: bool,
    trusted: int,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Fetch the receipt of a message: the ledger's proof of what it answered.

    A receipt proves an acceptance or a refusal, for good: check it offline with hansa verify.
    Message 0 is the first of the transaction.

    \b
    Examples:
      hansa receipt 5f2c… -o receipt.json
      hansa receipt 5f2c… --message 17 -o receipt-17.json
    """
    check_id(transaction)
    with open_gateway(place, signer_name) as gateway:
        try:
            data = gateway.receipt(transaction, message, trusted=trusted)
        except Refused as refused:
            count = len(gateway.status(transaction).messages)
            if refused.status != NOT_FOUND or not 0 < count <= message:
                raise
            text = f"the transaction has {count_of(count, 'message')}, counted from 0"
            raise Refused(refused.code, text, remedy=f"--message 0 to {count - 1}") from refused
    store_file(output, data, replace=force)
    document = {"id": transaction, "message": message, "file": str(output), "bytes": len(data)}
    answer(document, f"{output}: {len(data)} bytes", as_json=as_json)
    hint(f"check it, without any node: hansa verify {shlex.quote(str(output))}")
    return YES


@click.command("prove")
@click.argument("path", metavar="APP/KIND/KEY…")
@click.option("--absent", is_flag=True, help="Prove that there is no such record.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@trusted_option
@signer_option
@place_options
@json_option
def prove(
    path: str,
    absent: bool,
    output: Path,
    force: bool,
    trusted: int,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Prove that a record is there with what it says, or (--absent) that it is not.

    \b
    Examples:
      hansa prove members/member/seller-a -o seller.json
      hansa prove e-invoice/reimbursement/INVOICE/1 --absent -o not-reimbursed.json
    """
    from hansa.catalog import CIVIC, SYSTEM, load_application
    from hansa.ledger.model import ImpossibleKey, check_key_shape

    name, _mark, rest = path.partition("/")
    kind, _mark, key = rest.partition("/")
    if name.replace("-", "_") not in SYSTEM | CIVIC or not key:
        raise click.UsageError("write APP/KIND/KEY, such as members/member/did:hansa:…")
    application = load_application(name)
    record = find_record(application, kind)
    parts = resolve_key(place, record, tuple(key.split("/")))
    try:
        check_key_shape(record, parts)
    except ImpossibleKey as impossible:
        raise click.UsageError(f"{path}: {impossible.text} {impossible.remedy}") from impossible
    with open_gateway(place, signer_name) as gateway:
        owner = record.OWNER or application.name
        proof = gateway.proof(owner, kind, *parts, trusted=trusted)
    if proof.is_there == absent:
        text = f"{path} is {'there' if proof.is_there else 'not there'}: no file was written"
        answer({"path": path, "there": proof.is_there, "file": None}, text, as_json=as_json)
        hint("leave --absent out" if absent else "add --absent to prove that it is not there")
        return NO
    store_file(output, proof.data, replace=force)
    document = {"path": path, "there": proof.is_there, "file": str(output)}
    said = "is there" if proof.is_there else "is not there"
    answer(document, f"{output}: proves that {path} {said}", as_json=as_json)
    hint(f"check it, without any node: hansa verify {output}")
    return YES
