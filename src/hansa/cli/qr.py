"""`hansa qr FILE`: a receipt as a QR code, on the terminal or as SVG. Reads the file only."""

from pathlib import Path

import click
import msgspec

from hansa.cli.answers import YES, answer, json_option
from hansa.client.faults import ClientError
from hansa.client.files import read_file, store_file
from hansa.encoding.json_faults import NOT_JSON


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--base", required=True, metavar="URL", help="Public address of a gateway.")
@click.option("--svg", type=click.Path(path_type=Path), metavar="OUT", help="Write an SVG file.")
@click.option("--force", is_flag=True, help="Replace the SVG file if it is there.")
@json_option
def command(file: Path, base: str, svg: Path | None, force: bool, as_json: bool) -> int:
    """Show a receipt as a QR code: a link with its id and checkpoint, checked without login.

    \b
    Examples:
      hansa qr receipt.json --base https://ledger.example.org
      hansa qr receipt.json --base https://ledger.example.org --svg receipt.svg
    """
    from hansa.apps.e_invoice.documents.qr import UnprintableReceipt, render_receipt_qr

    try:
        link = build_link(file, base)
        code = render_receipt_qr(link, "svg" if svg else "terminal")
    except UnprintableReceipt as error:
        raise ClientError(str(error), "give a receipt file and a plain https address") from error
    if svg is not None:
        store_file(svg, code.encode(), replace=force)
    document = {"link": link, "file": None if svg is None else str(svg)}
    answer(document, f"{link}" if svg else f"{code}\n{link}", as_json=as_json)
    return YES


def build_link(file: Path, base: str) -> str:
    """The link of a receipt file. Raises ClientError, UnprintableReceipt."""
    from hansa.apps.e_invoice.documents.qr import format_receipt_link
    from hansa.client.receipts import FILE_BYTES_MAX, ReceiptFile
    from hansa.ledger.receipts import ResultLeaf

    data = read_file(file, FILE_BYTES_MAX)
    try:
        receipt = msgspec.json.decode(data, type=ReceiptFile)
        leaf = msgspec.json.decode(receipt.result, type=ResultLeaf)
    except NOT_JSON as error:
        raise ClientError(
            f"{file} is no receipt", "hansa receipt ID -o FILE fetches one"
        ) from error
    return format_receipt_link(
        base,
        leaf.tx,
        leaf.index,
        chain=receipt.chain,
        height=receipt.header.height,
        header_hash=receipt.header.hash(),
    )
