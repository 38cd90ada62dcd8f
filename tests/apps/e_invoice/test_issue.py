"""Real documents by other people become messages and are issued on the ledger, sums unchanged."""

from pathlib import Path

import msgspec
import pytest

from hansa.apps.e_invoice.contract.arithmetic import compute_faults
from hansa.apps.e_invoice.document import InexactNumber, InvoiceDocument, Preceding, Scaled
from hansa.apps.e_invoice.documents.importers import import_document
from hansa.apps.e_invoice.issue import build_issue_message, convert_rate
from hansa.apps.e_invoice.model import compute_invoice_id
from hansa.apps.e_invoice.model import messages as m
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import decode_base64url, encode_base64url
from hansa.primitives.capitals import format_capitals
from hansa.vault.commitment import CommitmentMismatch, compute_commitment, open_commitment
from tests.apps.e_invoice.documents_data import EN16931, FIXTURES
from tests.apps.e_invoice.league import TAX_IDS, League

SALT = bytes(range(32))
FILES = sorted((*EN16931.glob("ubl-examples/*.xml"), *EN16931.glob("cii-examples/*.xml")))
# It names no original, and a credit on the ledger names exactly one (I4).
WITHOUT_ORIGINAL = "ubl-tc434-creditnote1.xml"


@pytest.fixture(scope="module")
def league() -> League:
    return League()


def build(league: League, document: InvoiceDocument, data: bytes = b"") -> m.IssueInvoice:
    """The message between two members; a quota in its currency is there."""
    grant = m.GrantQuota(
        seller=TAX_IDS["seller-a"], currency=document.currency, amount=10**14, count=10**6
    )
    league.must("bureau-cn", grant)
    return build_issue_message(
        document,
        seller=TAX_IDS["seller-a"],
        buyer=TAX_IDS["buyer-a"],
        commitment=encode_base64url(compute_commitment(data, SALT)),
    )


def read(file: Path) -> InvoiceDocument:
    """The document; its number made its own, because several examples share one."""
    document = import_document(file.read_bytes())
    return msgspec.structs.replace(document, number=f"{document.number} {file.stem[-20:]}")


def test_there_are_examples() -> None:
    assert len(FILES) == 24


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_real_example_is_issued(league: League, file: Path) -> None:
    message = build(league, read(file), file.read_bytes())
    assert list(compute_faults(message.content)) == []
    code = league.send("seller-a", message)
    assert code == ("not_one_original" if file.name == WITHOUT_ORIGINAL else "ok"), league.params


def test_real_credit_note_credits_the_original_it_is_given(league: League) -> None:
    credit = read(EN16931 / "ubl-examples" / WITHOUT_ORIGINAL)
    original = msgspec.structs.replace(
        credit, kind="invoice", type_code="380", number=f"{credit.number} original"
    )
    league.must("seller-a", build(league, original))
    credit = msgspec.structs.replace(credit, preceding=(Preceding(original.number),))
    league.must("seller-a", build(league, credit))
    again = msgspec.structs.replace(credit, number=f"{credit.number} again")
    assert league.send("seller-a", build(league, again)) == "fully_credited"
    invoice = compute_invoice_id("en16931", TAX_IDS["seller-a"], original.number)
    league.walk(invoice, "seller-a", m.DeliverInvoice)
    assert league.step("buyer-a", m.SubmitInvoice, invoice) == "fully_credited"
    assert league.violations() == []


def test_nothing_of_the_document_but_figures_and_codes_is_in_the_message(league: League) -> None:
    for file in FILES:
        document = read(file)
        sent = encode_canonical(build(league, document))
        words = [document.seller.name, document.buyer.name, *(line.name for line in document.lines)]
        for word in words:
            if len(word) > 4:
                assert word.encode() not in sent, (file.name, word)


def test_commitment_on_chain_opens_with_the_document_and_no_other(league: League) -> None:
    file = EN16931 / "ubl-examples" / "guide-example1.xml"
    data = file.read_bytes()
    document = msgspec.structs.replace(read(file), number="I7")
    league.must("seller-a", build(league, document, data))
    content = league.invoice(f"{TAX_IDS['seller-a']}:I7").content
    commitment = decode_base64url(content.commitment)
    open_commitment(commitment, SALT, data)
    with pytest.raises(CommitmentMismatch):
        open_commitment(commitment, SALT, data + b" ")


def test_chinese_red_letter_credits_its_blue_invoice(league: League) -> None:
    files = [FIXTURES / f"fapiao-{name}.xml" for name in ("0.2-blue", "0.31-red")]
    blue, red = (import_document(file.read_bytes()) for file in files)
    capitals = [format_capitals(blue.totals.with_vat), format_capitals(-red.totals.with_vat)]
    for document, words in zip((blue, red), capitals, strict=True):
        content = build(league, document).content
        league.must(
            "seller-a",
            m.IssueInvoice(content=msgspec.structs.replace(content, capitals=words)),
        )
    assert blue.number == "26440000000000000001"
    assert league.invoice(blue.number).credit == "FULLY_CREDITED"
    assert league.violations() == []


def test_rates_keep_four_decimals_of_a_per_cent() -> None:
    assert [convert_rate(rate) for rate in (Scaled(25), Scaled(55, 1), Scaled(9975, 3))] == [
        250_000,
        55_000,
        99_750,
    ]
    with pytest.raises(InexactNumber):
        convert_rate(Scaled(1, 5))
