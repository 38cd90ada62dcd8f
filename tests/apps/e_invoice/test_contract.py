"""Rules of e_invoice on the ledger: each test is named after the rule that it holds."""

from typing import Any

import msgspec
import pytest
from mockeinvoice.rules.codelists import LISTS

from hansa.apps.e_invoice.documents.ubl import CREDIT_NOTE_CODES as DOCUMENT_CODES
from hansa.apps.e_invoice.model import (
    CREDIT_NOTE_CODES,
    Credited,
    Invoice,
    InvoiceContent,
    InvoiceLine,
    IssueInvoice,
    PrecedingInvoice,
    Quota,
    RedLetter,
    Reimbursement,
    Taxpayer,
    VatLine,
    compute_invoice_id,
)
from hansa.apps.e_invoice.model import messages as m
from hansa.apps.e_invoice.model.currencies import CURRENCIES
from tests.apps.e_invoice.league import (
    APP,
    OWNED,
    QUOTA,
    TAX_IDS,
    UNREGISTERED,
    League,
    make_content,
    make_credit,
    make_person,
    register,
)

HOUR_MS = 3_600_000
REIMBURSED = (m.SubmitInvoice, m.ReimburseInvoice)


@pytest.fixture
def league() -> League:
    return League()


def delivered(league: League, number: str = "1", **changes: Any) -> str:
    invoice = league.issue("seller-a", number, **changes)
    league.walk(invoice, "seller-a", m.DeliverInvoice)
    return invoice


def posted(league: League, number: str = "1") -> str:
    invoice = delivered(league, number)
    league.walk(invoice, "buyer-a", *REIMBURSED, m.PostInvoice)
    return invoice


def send_content(league: League, content: InvoiceContent, seller: str = "seller-a") -> str:
    return league.send(seller, IssueInvoice(content=content))


def replace_totals(content: InvoiceContent, **changes: int) -> InvoiceContent:
    totals = msgspec.structs.replace(content.totals, **changes)
    return msgspec.structs.replace(content, totals=totals)


def replace_vat(content: InvoiceContent, **changes: Any) -> InvoiceContent:
    vat = (msgspec.structs.replace(content.vat[0], **changes), *content.vat[1:])
    return msgspec.structs.replace(content, vat=vat)


# The whole way -------------------------------------------------------------------------------


def test_invoice_goes_the_whole_way(league: League) -> None:
    invoice = delivered(league)
    league.walk(invoice, "buyer-a", m.ConfirmUse, *REIMBURSED, m.PostInvoice, m.ArchiveInvoice)
    record = league.invoice(invoice)
    assert (record.status, bool(record.used_height)) == ("ARCHIVED", True)
    paid = league.chain.get(APP, Reimbursement, invoice, "1")
    assert paid is not None
    assert (paid.amount, paid.employer) == (113_00, league.did("buyer-a"))
    assert league.violations() == []


def test_invoice_keeps_only_what_its_rules_are_about(league: League) -> None:
    invoice = league.issue("seller-a", "2026/7 α")
    assert invoice == f"{TAX_IDS['seller-a']}:2026~2F7~20~CE~B1"
    record = league.invoice(invoice)
    assert record.parties() == (league.did("seller-a"), league.did("buyer-a"))


def test_document_and_chain_agree_on_what_a_credit_note_is() -> None:
    assert DOCUMENT_CODES == CREDIT_NOTE_CODES


# I10: who is who ---------------------------------------------------------------------------------


def test_invalid_seller_not_registered(league: League) -> None:
    assert send_content(league, make_content(UNREGISTERED, "1"), "outsider") == "not_registered"


def test_invalid_sender_is_not_the_registered_seller(league: League) -> None:
    assert send_content(league, make_content("seller-a", "1"), "seller-b") == "not_the_party"


def test_invalid_registered_but_without_the_seller_role(league: League) -> None:
    code = send_content(league, make_content("buyer-a", "1", "buyer-b"), "buyer-a")
    assert code == "ledger.missing_role"
    assert league.params["grantors"] == "e_invoice.tax_authority"


def test_citizen_does_not_act_for_the_member_that_sponsors_it(league: League) -> None:
    assert send_content(league, make_content("seller-a", "1"), "citizen") == "not_the_party"
    invoice = league.issue("seller-a", "1", buyer=make_person("anna"))
    assert league.step("citizen", m.DeliverInvoice, invoice) == "not_the_party"
    assert league.step("citizen", m.RequestRedLetter, invoice, **ASK) == "not_the_party"
    league.walk(invoice, "seller-a", m.DeliverInvoice)
    for kind in (m.SubmitInvoice, m.ConfirmUse, m.ReimburseInvoice):
        assert league.step("citizen", kind, invoice) == "not_the_party"
    league.must("citizen", league.claim("anna", invoice, "employer-x"))


def test_invalid_bureau_of_another_jurisdiction(league: League) -> None:
    message = register(UNREGISTERED, league.did("outsider"))
    assert league.send("bureau-hk", message) == "ledger.missing_role"
    assert league.send("seller-a", message) == "ledger.missing_role"
    league.must("bureau-cn", message)
    assert league.send("bureau-cn", message) == "already_registered"


def test_invalid_registration_of_who_is_no_member(league: League) -> None:
    stranger = "did:hansa:" + "a" * 32
    assert league.send("bureau-cn", register(UNREGISTERED, stranger)) == "ledger.no_such_record"


@pytest.mark.parametrize(
    "tax_id",
    [
        "CN-USCC:91440300MA5TTTTT1B",  # check digit
        "CN-USCC:91440300ma5ttttt1a",  # another spelling of the same number
        "CN-USCC:91440300",
        "CN-ID:440101199001011234",  # not a scheme of organisations
        "VAT:",
        "not a key",
    ],
)
def test_invalid_identifier_of_taxpayer_or_buyer(league: League, tax_id: str) -> None:
    if tax_id.startswith("CN"):
        message = register(tax_id, league.did("outsider"))
        assert league.send("bureau-cn", message) == "identifier_invalid"
    content = make_content("seller-a", "1", tax_id)
    assert send_content(league, content) == "identifier_invalid"


def correct(tax_id: str, member: str) -> m.CorrectTaxpayer:
    return m.CorrectTaxpayer(taxpayer=tax_id, member=member)


def get_taxpayer(league: League, tax_id: str) -> Taxpayer:
    found = league.chain.get(APP, Taxpayer, tax_id)
    assert found is not None
    return found


def test_invalid_registration_for_another_than_the_members_register_says(league: League) -> None:
    assert league.send("bureau-cn", register(OWNED, league.did("outsider"))) == "owned_by_other"
    assert league.params["owner"] == league.did("bank")
    league.must("bureau-cn", register(OWNED, league.did("bank")))
    assert league.send("bureau-cn", correct(OWNED, league.did("outsider"))) == "owned_by_other"


def test_wrong_registration_is_corrected_for_the_future(league: League) -> None:
    league.must("bureau-cn", register(UNREGISTERED, league.did("seller-a")))
    league.must(
        "bureau-cn",
        m.GrantQuota(seller=UNREGISTERED, currency="CNY", amount=QUOTA, count=9),
    )
    assert send_content(league, make_content(UNREGISTERED, "1", make_person("anna"))) == "ok"
    sold = f"{UNREGISTERED}:1"
    bought = league.issue("seller-a", "2", UNREGISTERED)
    league.must("bureau-cn", correct(UNREGISTERED, league.did("outsider")))
    taxpayer = get_taxpayer(league, UNREGISTERED)
    assert (taxpayer.member, taxpayer.earlier) == (
        league.did("outsider"),
        (league.did("seller-a"),),
    )
    # what exists stays as it is
    assert league.invoice(sold).seller_member == league.did("seller-a")
    assert league.invoice(bought).buyer_member == league.did("seller-a")
    league.walk(bought, "seller-a", m.DeliverInvoice)
    # what comes is the other member's
    content = make_content(UNREGISTERED, "3")
    assert send_content(league, content, "seller-a") == "not_the_party"
    assert send_content(league, content, "outsider") == "ok"
    assert league.invoice(f"{UNREGISTERED}:3").seller_member == league.did("outsider")
    quota = league.chain.get(APP, Quota, UNREGISTERED, "CNY")
    assert quota is not None
    assert quota.member == league.did("outsider")
    assert league.issue("seller-a", "4", UNREGISTERED)
    assert league.invoice(f"{TAX_IDS['seller-a']}:4").buyer_member == league.did("outsider")
    # and what was issued in error is credited by it
    assert league.credit("seller-a", "C1", sold) == "not_the_party"
    assert league.credit("outsider", "C1", sold) == "ok"
    assert league.violations() == []


def test_invalid_correction(league: League) -> None:
    seller = TAX_IDS["seller-a"]
    right = correct(seller, league.did("outsider"))
    assert league.send("seller-a", right) == "ledger.missing_role"
    assert league.send("bureau-hk", right) == "ledger.missing_role"
    assert league.send("bureau-cn", correct(OWNED, league.did("bank"))) == "not_registered"
    assert league.send("bureau-cn", correct(seller, league.did("seller-a"))) == "already_registered"
    stranger = "did:hansa:" + "a" * 32
    assert league.send("bureau-cn", correct(seller, stranger)) == "ledger.no_such_record"


def test_correction_across_jurisdictions_needs_the_members_register(league: League) -> None:
    """Else one bureau could take another's taxpayers."""
    tax_id = TAX_IDS["seller-a"]
    over = correct(tax_id, league.did("buyer-b"))
    assert league.send("bureau-hk", over) == "ledger.missing_role"
    assert league.send("bureau-cn", over) == "ledger.missing_role"
    league.amend("buyer-b", tax_id)
    assert league.send("bureau-cn", over) == "ledger.missing_role"
    league.must("bureau-hk", over)
    taxpayer = get_taxpayer(league, tax_id)
    assert (taxpayer.jurisdiction, taxpayer.registered_by) == ("HK", league.did("bureau-hk"))


def test_invalid_quota_in_what_is_no_currency(league: League) -> None:
    grant = m.GrantQuota(seller=TAX_IDS["seller-a"], currency="XXZ", amount=1, count=1)
    assert league.send("bureau-cn", grant) == "currency_unknown"


def test_currencies_are_those_of_the_published_rule() -> None:
    assert " ".join(sorted(CURRENCIES)).split() == sorted(LISTS["BR-CL-03"][0].split())


def test_buyer_who_is_not_registered_may_register_later(league: League) -> None:
    invoice = league.issue("seller-a", "1", UNREGISTERED)
    assert league.step("outsider", m.DeliverInvoice, invoice) == "not_the_party"
    league.must("bureau-cn", register(UNREGISTERED, league.did("outsider")))
    assert league.step("outsider", m.DeliverInvoice, invoice) == "ok"
    assert league.invoice(invoice).buyer_member == league.did("outsider")


def test_invalid_pseudonym_that_any_signature_would_pass(league: League) -> None:
    small_order = "p:" + "A" * 43
    assert send_content(league, make_content("seller-a", "1", small_order)) == "identifier_invalid"


def test_invalid_pseudonym_on_a_second_invoice(league: League) -> None:
    league.issue("seller-a", "1", make_person("anna"))
    assert send_content(league, make_content("seller-a", "2", make_person("anna"))) == (
        "pseudonym_used"
    )


def test_suspended_seller_cannot_issue_until_resumed(league: League) -> None:
    seller = TAX_IDS["seller-a"]
    suspend = m.SuspendSeller(seller=seller, reason="investigation")
    assert league.send("bureau-hk", suspend) == "ledger.missing_role"
    assert league.send("bureau-cn", m.ResumeSeller(seller=seller)) == "standing_unchanged"
    league.must("bureau-cn", suspend)
    assert league.send("bureau-cn", suspend) == "standing_unchanged"
    assert send_content(league, make_content("seller-a", "1")) == "seller_suspended"
    league.must("bureau-cn", m.ResumeSeller(seller=seller))
    league.issue("seller-a", "1")


# I1: numbers -------------------------------------------------------------------------------------


def test_invalid_number_used_twice(league: League) -> None:
    league.issue("seller-a", "1")
    assert send_content(league, make_content("seller-a", "1", "buyer-b")) == "number_used"


def test_invalid_number_of_a_credited_invoice_is_not_free_again(league: League) -> None:
    invoice = league.issue("seller-a", "1")
    assert league.credit("seller-a", "2", invoice) == "ok"
    assert send_content(league, make_content("seller-a", "1")) == "number_used"


def test_number_is_of_its_seller(league: League) -> None:
    league.issue("seller-a", "1")
    league.must(
        "bureau-hk", m.GrantQuota(seller=TAX_IDS["seller-b"], currency="CNY", amount=10**6, count=9)
    )
    league.issue("seller-b", "1", "buyer-b")


def test_invalid_20_digits_are_unique_across_sellers(league: League) -> None:
    number = "26442000000000000001"
    assert league.issue("seller-a", number, standard="fapiao") == number
    content = make_content("seller-b", number, standard="fapiao")
    assert send_content(league, content, "seller-b") == "number_used"


def test_invoice_ids_do_not_collide() -> None:
    numbers = ["a b", "a~20b", "a/b", "a%20b", "a:b", "a", "ab", "ä"]
    assert len({compute_invoice_id("en16931", "s", number) for number in numbers}) == len(numbers)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("number", {"number": ""}),
        ("number", {"number": " 1"}),
        ("number", {"number": "1" * 61}),
        ("number", {"number": "号" * 50}),
        ("number", {"standard": "fapiao", "number": "1234567890123456789"}),
        ("number", {"standard": "fapiao", "number": "1234567890123456789x"}),
        ("issue_date", {"issue_date": "2026-02-29"}),
        ("issue_date", {"issue_date": "2026-13-01"}),
        ("issue_date", {"issue_date": "29.5.2026"}),
        ("currency", {"currency": "cny"}),
        ("type_code", {"type_code": ""}),
        ("lines", {"lines": ()}),
        ("line id", {"lines": (InvoiceLine(id="", net=1, category="S", rate_ppm=1),)}),
        ("rate_ppm", {"vat": (VatLine(category="S", rate_ppm=-1, taxable=1, tax=1),)}),
        ("preceding number", {"preceding": (PrecedingInvoice(number=""),)}),
        ("preceding issue_date", {"preceding": (PrecedingInvoice("1", "soon"),)}),
    ],
)
def test_invalid_field(league: League, field: str, changes: dict[str, Any]) -> None:
    content = msgspec.structs.replace(make_content("seller-a", "1"), **changes)
    assert send_content(league, content) == "field_invalid"
    assert league.params["field"] == field


# I2: EN 16931 ------------------------------------------------------------------------------------

RATES = (("1", 100_00, "S", 130_000), ("2", 50_00, "S", 60_000), ("3", 20_00, "E", 0))


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("br_co_10", {"lines": 170_01, "without_vat": 170_01}),
        ("br_co_11", {"allowances": 1}),
        ("br_co_12", {"charges": 1}),
        ("br_co_13", {"without_vat": 170_01}),
        ("br_co_14", {"vat": 16_01}),
        ("br_co_15", {"with_vat": 186_01}),
        ("br_co_16", {"due": 186_01}),
        ("br_co_16", {"paid": 1}),
        ("br_co_16", {"rounding": 1}),
    ],
)
def test_invalid_total(league: League, rule: str, changes: dict[str, int]) -> None:
    content = replace_totals(make_content("seller-a", "1", lines=RATES), **changes)
    assert send_content(league, content) == rule


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("br_co_17", {"tax": 14_00}),
        ("br_co_17", {"tax": 12_00}),
        ("br_s_08", {"taxable": 101_00}),
        ("br_s_01", {"rate_ppm": 90_000}),
        ("br_s_01", {"category": "L"}),
        ("br_cl_17", {"category": "X"}),
        ("br_s_05", {"rate_ppm": 0}),
        ("br_s_05", {"category": "Z"}),
    ],
)
def test_invalid_breakdown(league: League, rule: str, changes: dict[str, Any]) -> None:
    content = replace_vat(make_content("seller-a", "1"), **changes)
    tax = sum(each.tax for each in content.vat)
    content = replace_totals(content, vat=tax, with_vat=100_00 + tax, due=100_00 + tax)
    assert send_content(league, content) == rule


def test_invalid_exempt_amount_is_exact(league: League) -> None:
    content = make_content("seller-a", "1", lines=(("1", 100_00, "E", 0),))
    assert send_content(league, replace_vat(content, taxable=100_01)) == "br_s_08"


def test_invalid_exempt_with_tax(league: League) -> None:
    content = make_content("seller-a", "1", lines=(("1", 100_00, "E", 0),))
    content = replace_totals(replace_vat(content, tax=1), vat=1, with_vat=100_01, due=100_01)
    assert send_content(league, content) == "br_co_17"


def test_invalid_two_breakdowns_of_one_rate(league: League) -> None:
    content = make_content("seller-a", "1")
    content = msgspec.structs.replace(content, vat=content.vat * 2)
    content = replace_totals(content, vat=26_00, with_vat=126_00, due=126_00)
    assert send_content(league, content) == "br_co_18"


def test_invalid_no_breakdown(league: League) -> None:
    content = msgspec.structs.replace(make_content("seller-a", "1"), vat=())
    content = replace_totals(content, vat=0, with_vat=100_00, due=100_00)
    assert send_content(league, content) == "br_co_18"


@pytest.mark.parametrize(("off", "code"), [(99, "ok"), (-99, "ok"), (100, "br_co_17")])
def test_tax_may_be_less_than_one_unit_off(league: League, off: int, code: str) -> None:
    content = replace_vat(make_content("seller-a", "1"), tax=13_00 + off)
    total = 113_00 + off
    content = replace_totals(content, vat=13_00 + off, with_vat=total, due=total)
    assert send_content(league, content) == code


@pytest.mark.parametrize(
    ("taxable", "rate", "tax"),
    [
        (1000_00, 250_000, 250_00),
        (-6491_34, 250_000, 1622_84),
        (2141_05, 140_000, 299_75),
        (2141_19, 21_000, 44_96),
        (-2141_19, 55_000, 117_77),
        (10, 50_000, 1),  # 0.5 of a cent goes up
        (-10, 50_000, 1),
        (9, 50_000, 0),
    ],
)
def test_tax_is_rounded_half_up(taxable: int, rate: int, tax: int) -> None:
    from hansa.apps.e_invoice.contract.arithmetic import compute_tax

    assert compute_tax(taxable, rate) == tax


def test_allowances_charges_prepaid_and_rounding_count(league: League) -> None:
    league.issue(
        "seller-a",
        "1",
        lines=(*RATES, ("4", -10_00, "S", 130_000)),
        allowances=((5_00, "S", 130_000), (1_00, "E", 0)),
        charges=((7_00, "S", 60_000),),
        paid=50_00,
        rounding=-3,
    )
    assert league.violations() == []


def test_sums_beyond_ledger_integers_are_refused_not_a_fault(league: League) -> None:
    lines = tuple((str(n), 2**53 - 1, "S", 130_000) for n in range(3))
    content = make_content("seller-a", "1")
    many = make_content("seller-a", "1", lines=lines)
    assert send_content(league, msgspec.structs.replace(content, lines=many.lines)) == "br_co_10"


# I6: quota ---------------------------------------------------------------------------------------


def test_invalid_quota_spent() -> None:
    league = League(quota=250_00, count=10)
    league.issue("seller-a", "1")
    league.issue("seller-a", "2")
    assert send_content(league, make_content("seller-a", "3")) == "quota_spent"
    assert league.params == {"amount": 100_00, "left": 50_00, "numbers": 8}
    assert league.credit("seller-a", "4", f"{TAX_IDS['seller-a']}:1") == "ok"
    league.issue("seller-a", "3")
    assert league.violations() == []


def test_invalid_quota_of_numbers_spent() -> None:
    league = League(count=1)
    league.issue("seller-a", "1")
    assert send_content(league, make_content("seller-a", "2")) == "quota_spent"


def test_invalid_no_quota_in_the_currency(league: League) -> None:
    assert send_content(league, make_content("seller-a", "1", currency="HKD")) == "no_quota"


def test_invalid_quota_below_what_is_used(league: League) -> None:
    league.issue("seller-a", "1")
    grant = m.GrantQuota(seller=TAX_IDS["seller-a"], currency="CNY", amount=99_99, count=1)
    assert league.send("bureau-hk", grant) == "ledger.missing_role"
    assert league.send("bureau-cn", grant) == "quota_below_use"
    league.must("bureau-cn", msgspec.structs.replace(grant, amount=100_00))
    quota = league.chain.get(APP, Quota, TAX_IDS["seller-a"], "CNY")
    assert quota is not None
    assert (quota.used, quota.count_used, quota.numbers) == (100_00, 1, 1)


def test_rounding_in_credits_gives_no_quota_for_nothing(league: League) -> None:
    """Taxable amounts have a tolerance; what credits give back is bounded by the net total too."""
    invoice = league.issue("seller-a", "1")
    credit = make_credit(league.invoice(invoice).content, "2", lines=(("1", 100_90, "S", 130_000),))
    credit = replace_vat(credit, taxable=100_00, tax=12_10)
    credit = replace_totals(credit, vat=12_10, with_vat=113_00, due=113_00)
    credit = msgspec.structs.replace(
        credit, lines=(msgspec.structs.replace(credit.lines[0], id="x"),)
    )
    assert send_content(league, credit) == "credit_above_original"
    assert league.params["place"] == "total without VAT"


# I7, I9 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("commitment", ["", "A" * 42, "A" * 42 + "B", "A" * 44, "+" * 43])
def test_invalid_commitment(league: League, commitment: str) -> None:
    content = make_content("seller-a", "1", commitment=commitment)
    assert send_content(league, content) == "commitment_invalid"


def test_invalid_capitals_say_another_number(league: League) -> None:
    content = make_content("seller-a", "1", capitals="壹佰壹拾肆元整")
    assert send_content(league, content) == "capitals_wrong"
    assert league.params == {"amount": 113_00, "capitals": "壹佰壹拾叁元整"}
    content = make_content("seller-a", "1", capitals="one hundred")
    assert send_content(league, content) == "capitals_wrong"
    league.issue("seller-a", "1", capitals="壹佰壹拾叁圆整")


# I3: reimbursed once ---------------------------------------------------------------------------


def test_two_employers_submit_one_invoice_in_the_same_block(league: League) -> None:
    invoice = delivered(league, buyer=make_person("anna"))
    for employer in ("employer-x", "employer-y"):
        league.must("outsider", league.claim("anna", invoice, employer))
    submit = m.SubmitInvoice(invoice=invoice)
    codes = league.together(("employer-x", submit), ("employer-y", submit))
    assert codes == ["ok", "already_submitted"]
    assert league.invoice(invoice).employer == league.did("employer-x")
    reimburse = m.ReimburseInvoice(invoice=invoice)
    codes = league.together(("employer-y", reimburse), ("employer-x", reimburse))
    assert codes == ["not_the_party", "ok"]
    assert league.violations() == []


def test_invalid_second_reimbursement(league: League) -> None:
    invoice = delivered(league)
    league.walk(invoice, "buyer-a", *REIMBURSED)
    assert league.step("buyer-a", m.ReimburseInvoice, invoice) == "already_past"
    assert league.step("buyer-a", m.SubmitInvoice, invoice) == "already_submitted"


def test_reversal_is_explicit_and_frees_the_invoice(league: League) -> None:
    invoice = delivered(league)
    league.walk(invoice, "buyer-a", m.SubmitInvoice)
    assert league.step("buyer-a", m.ReverseReimbursement, invoice, reason="duplicate") == (
        "wrong_status"
    )
    league.walk(invoice, "buyer-a", m.ReimburseInvoice)
    assert league.step("buyer-b", m.ReverseReimbursement, invoice, reason="duplicate") == (
        "not_the_party"
    )
    assert league.step("buyer-a", m.ReverseReimbursement, invoice, reason="duplicate") == "ok"
    assert league.invoice(invoice).status == "DELIVERED"
    league.walk(invoice, "buyer-a", *REIMBURSED)
    paid = [league.chain.get(APP, Reimbursement, invoice, number) for number in "12"]
    assert [bool(each and each.reversed_height) for each in paid] == [True, False]
    assert league.violations() == []


def test_rejected_submission_is_free_for_another_employer(league: League) -> None:
    invoice = delivered(league, buyer=make_person("anna"))
    for employer in ("employer-x", "employer-y"):
        league.must("seller-b", league.claim("anna", invoice, employer))
    league.walk(invoice, "employer-x", m.SubmitInvoice)
    assert league.step("employer-y", m.RejectSubmission, invoice, reason="not_ours") == (
        "not_the_party"
    )
    assert league.step("employer-x", m.RejectSubmission, invoice, reason="not_ours") == "ok"
    assert league.invoice(invoice).status == "CLAIMED"
    assert league.step("employer-x", m.SubmitInvoice, invoice) == "not_the_party"
    league.walk(invoice, "employer-y", m.SubmitInvoice)
    assert league.step("employer-y", m.RejectSubmission, invoice, reason="not_ours") == "ok"
    assert league.invoice(invoice).status == "DELIVERED"


def test_invalid_claim_by_another_key_or_for_another_employer(league: League) -> None:
    invoice = delivered(league, buyer=make_person("anna"))
    forged = league.claim("boris", invoice, "employer-x")
    assert league.send("employer-x", forged) == "claim_invalid"
    stolen = league.claim("anna", invoice, "employer-x")
    stolen = msgspec.structs.replace(stolen, employer=league.did("employer-y"))
    assert league.send("employer-y", stolen) == "claim_invalid"
    garbage = msgspec.structs.replace(stolen, proof="=")
    assert league.send("employer-y", garbage) == "claim_invalid"
    of_organisation = league.claim("anna", delivered(league, "2"), "employer-x")
    assert league.send("employer-x", of_organisation) == "claim_invalid"


def test_invalid_claim_for_ever_more_employers(league: League) -> None:
    invoice = delivered(league, buyer=make_person("anna"))
    for name in (*TAX_IDS, "employer-x", "employer-y", "bank", "outsider"):
        league.must("outsider", league.claim("anna", invoice, name))
    claim = league.claim("anna", invoice, "bureau-cn")
    assert league.send("outsider", claim) == "too_many_claims"


def test_invalid_submission_without_claim_or_role(league: League) -> None:
    person = delivered(league, "1", buyer=make_person("anna"))
    assert league.step("employer-x", m.SubmitInvoice, person) == "not_the_party"
    league.must("bank", league.claim("anna", person, "bank"))
    assert league.step("bank", m.SubmitInvoice, person) == "ledger.missing_role"
    invoice = delivered(league, "2")
    assert league.step("employer-x", m.SubmitInvoice, invoice) == "not_the_party"


def test_invalid_steps_out_of_order(league: League) -> None:
    invoice = league.issue("seller-a", "1")
    for kind in (m.SubmitInvoice, m.ConfirmUse):
        assert league.step("buyer-a", kind, invoice) == "wrong_status"
    assert league.step("buyer-a", m.RejectSubmission, invoice, reason="not_ours") == "wrong_status"
    assert league.step("buyer-a", m.DeliverInvoice, invoice) == "ok"
    assert league.step("seller-a", m.DeliverInvoice, invoice) == "already_past"
    league.walk(invoice, "buyer-a", m.SubmitInvoice)
    for kind in (m.PostInvoice, m.ArchiveInvoice):
        assert league.step("buyer-a", kind, invoice) == "wrong_status"


def test_invalid_step_of_no_invoice(league: League) -> None:
    assert league.step("seller-a", m.DeliverInvoice, "nothing") == "ledger.no_such_record"


# I4: credits -------------------------------------------------------------------------------------


def test_credit_in_full_then_again_is_refused(league: League) -> None:
    invoice = delivered(league)
    assert league.credit("seller-a", "C1", invoice) == "ok"
    assert league.invoice(invoice).credit == "FULLY_CREDITED"
    assert league.credit("seller-a", "C2", invoice) == "fully_credited"
    quota = league.chain.get(APP, Quota, TAX_IDS["seller-a"], "CNY")
    assert quota is not None
    assert (quota.used, quota.count_used, quota.numbers) == (0, 1, 2)


def test_invalid_reimbursement_after_full_credit(league: League) -> None:
    invoice = delivered(league)
    league.walk(invoice, "buyer-a", m.SubmitInvoice)
    assert league.credit("seller-a", "C1", invoice) == "ok"
    assert league.step("buyer-a", m.ReimburseInvoice, invoice) == "fully_credited"
    other = delivered(league, "2")
    assert league.credit("seller-a", "C2", other) == "ok"
    assert league.step("buyer-a", m.SubmitInvoice, other) == "fully_credited"
    assert league.step("buyer-a", m.ConfirmUse, other) == "fully_credited"


def test_partial_credits_leave_the_rest_to_reimburse(league: League) -> None:
    invoice = delivered(league, lines=RATES)
    part = (("1", 40_00, "S", 130_000),)
    assert league.credit("seller-a", "C1", invoice, lines=part) == "ok"
    assert league.invoice(invoice).credit == "PARTIALLY_CREDITED"
    league.walk(invoice, "buyer-a", *REIMBURSED)
    paid = league.chain.get(APP, Reimbursement, invoice, "1")
    assert paid is not None
    assert paid.amount == 186_00 - 45_20
    assert league.violations() == []


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        ("line 2", (("2", 50_01, "S", 60_000),)),
        ("S 60000 ppm, taxable", (("x", 50_01, "S", 60_000),)),
        ("line 1", (("1", 40_00, "S", 130_000), ("1", 70_00, "S", 130_000))),
        ("line 2", (("1", 100_00, "S", 130_000), ("2", -1_00, "S", 60_000))),
        ("S 90000 ppm", (("1", 1_00, "S", 90_000),)),
        ("total with VAT", (("x", 200_00, "E", 0),)),
    ],
)
def test_invalid_credit_above_original(league: League, place: str, lines: Any) -> None:
    invoice = delivered(league, lines=RATES)
    assert league.credit("seller-a", "C1", invoice, lines=lines) == "credit_above_original"
    assert league.params["place"] == place


def test_invalid_partial_credits_together_above_a_line(league: League) -> None:
    invoice = delivered(league, lines=RATES)
    assert league.credit("seller-a", "C1", invoice, lines=(("2", 30_00, "S", 60_000),)) == "ok"
    assert league.credit("seller-a", "C2", invoice, lines=(("2", 20_01, "S", 60_000),)) == (
        "credit_above_original"
    )
    assert league.params == {"place": "line 2", "credited": 50_01, "original": 50_00}


def test_credit_names_the_lines_that_it_takes_back(league: League) -> None:
    invoice = delivered(league, lines=RATES)
    content = make_credit(league.invoice(invoice).content, "C1", lines=(("9", 50_00, "S", 60_000),))
    line = content.lines[0]
    wrong = msgspec.structs.replace(line, credits="7")
    right = msgspec.structs.replace(line, credits="2")
    code = send_content(league, msgspec.structs.replace(content, lines=(wrong,)))
    assert code == "credit_above_original"
    assert send_content(league, msgspec.structs.replace(content, lines=(right,))) == "ok"
    credited = league.chain.get(APP, Credited, invoice)
    assert credited is not None
    assert credited.lines == (0, 50_00, 0)


def test_negative_invoice_credits_its_original(league: League) -> None:
    invoice = delivered(league)
    negative = make_content(
        "seller-a",
        "N1",
        lines=(("1", -100_00, "S", 130_000),),
        preceding=(PrecedingInvoice(number="1"),),
    )
    assert send_content(league, negative) == "ok"
    assert league.invoice(invoice).credit == "FULLY_CREDITED"
    assert league.violations() == []


@pytest.mark.parametrize("count", [0, 2])
def test_invalid_credit_without_exactly_one_original(league: League, count: int) -> None:
    invoice = delivered(league)
    preceding = (PrecedingInvoice(number="1"),) * count
    assert league.credit("seller-a", "C1", invoice, preceding=preceding) == "not_one_original"


def test_invalid_credit_of_what_is_not_here_or_of_others(league: League) -> None:
    invoice = delivered(league)
    unknown = (PrecedingInvoice(number="0", issue_date="2020-01-01"),)
    assert league.credit("seller-a", "C1", invoice, preceding=unknown) == "preceding_unknown"
    assert league.credit("seller-a", "C1", invoice, buyer=TAX_IDS["buyer-b"]) == (
        "preceding_foreign"
    )
    assert league.credit("seller-a", "C1", invoice, currency="HKD") == "preceding_foreign"


def test_invalid_credit_of_a_credit(league: League) -> None:
    invoice = delivered(league)
    assert league.credit("seller-a", "C1", invoice) == "ok"
    credit = f"{TAX_IDS['seller-a']}:C1"
    assert league.credit("seller-a", "C2", credit) == "not_creditable"
    assert league.step(
        "seller-a", m.RequestRedLetter, credit, amount=1, reason="price_reduced"
    ) == ("not_creditable")
    assert league.step("seller-a", m.DeliverInvoice, credit) == "ok"
    assert league.step("buyer-a", m.SubmitInvoice, credit) == "credit_not_payable"
    assert league.step("buyer-a", m.ConfirmUse, credit) == "credit_not_payable"


def test_invalid_credit_of_nothing(league: League) -> None:
    invoice = delivered(league, lines=RATES)
    lines = (("x", 0, "S", 130_000),)
    assert league.credit("seller-a", "C1", invoice, lines=lines) == "field_invalid"


def test_credit_repeats_the_pseudonym_of_its_original(league: League) -> None:
    invoice = delivered(league, buyer=make_person("anna"))
    assert league.credit("seller-a", "C1", invoice, buyer=make_person("boris")) == (
        "preceding_foreign"
    )
    assert league.credit("seller-a", "C1", invoice) == "ok"


def test_preceding_invoice_exists_unless_it_is_older_than_the_registration(league: League) -> None:
    recent = (PrecedingInvoice(number="0", issue_date="2026-01-01"),)
    undated = (PrecedingInvoice(number="0"),)
    older = (PrecedingInvoice(number="0", issue_date="2025-12-31"),)
    for preceding in (recent, undated):
        content = make_content("seller-a", "1", preceding=preceding)
        assert send_content(league, content) == "preceding_unknown"
    league.issue("seller-a", "1", preceding=older)
    league.issue("seller-a", "2", preceding=(PrecedingInvoice(number="1"),))


# I5: red letters ---------------------------------------------------------------------------------

ASK: dict[str, Any] = {"amount": 113_00, "reason": "issued_in_error"}


@pytest.mark.parametrize("way", ["used", "posted"])
def test_used_or_posted_needs_the_buyers_confirmation(league: League, way: str) -> None:
    invoice = posted(league) if way == "posted" else delivered(league)
    if way == "used":
        league.walk(invoice, "buyer-a", m.ConfirmUse)
    assert league.credit("seller-a", "C1", invoice) == "confirmation_needed"
    assert league.step("seller-a", m.ConfirmRedLetter, invoice) == "no_red_letter"
    assert league.step("seller-a", m.RequestRedLetter, invoice, **ASK) == "ok"
    assert league.credit("seller-a", "C1", invoice) == "red_letter_open"
    assert league.step("seller-a", m.ConfirmRedLetter, invoice) == "not_the_party"
    assert league.step("buyer-a", m.ConfirmRedLetter, invoice) == "ok"
    assert league.credit("seller-a", "C1", invoice) == "ok"
    record, letter = league.invoice(invoice), league.chain.get(APP, RedLetter, invoice, "1")
    assert (record.red, record.credit) == ("", "FULLY_CREDITED")
    assert letter is not None
    assert letter.status == "CREDITED"
    assert league.violations() == []


def test_invalid_credit_of_another_amount_than_confirmed(league: League) -> None:
    invoice = posted(league)
    assert league.step("buyer-a", m.RequestRedLetter, invoice, **(ASK | {"amount": 56_50})) == "ok"
    assert league.step("seller-a", m.ConfirmRedLetter, invoice) == "ok"
    assert league.credit("seller-a", "C1", invoice) == "red_letter_amount"
    half = (("1", 50_00, "S", 130_000),)
    assert league.credit("seller-a", "C1", invoice, lines=half) == "ok"
    assert league.credit("seller-a", "C2", invoice, lines=half) == "confirmation_needed"


@pytest.mark.parametrize("amount", [0, 113_01])
def test_invalid_request_of_nothing_or_too_much(league: League, amount: int) -> None:
    invoice = delivered(league)
    code = league.step(
        "seller-a", m.RequestRedLetter, invoice, amount=amount, reason="price_reduced"
    )
    assert code == "red_letter_amount"


def test_red_letter_lapses_by_block_time(league: League) -> None:
    invoice = posted(league)
    assert league.step("seller-a", m.RequestRedLetter, invoice, **ASK) == "ok"
    league.chain.advance(72 * HOUR_MS - 2_000)
    assert league.invoice(invoice).red == "RED_REQUESTED"
    fired = league.chain.advance(2_000).deadlines
    assert [result.code for result in fired] == ["ok"]
    assert league.invoice(invoice).red == "RED_LAPSED"
    assert league.step("buyer-a", m.ConfirmRedLetter, invoice) == "no_red_letter"
    assert league.credit("seller-a", "C1", invoice) == "confirmation_needed"
    assert league.step("seller-a", m.RequestRedLetter, invoice, **ASK) == "ok"


def test_confirmed_red_letter_lapses_too_when_no_credit_follows(league: League) -> None:
    invoice = posted(league)
    assert league.step("seller-a", m.RequestRedLetter, invoice, **ASK) == "ok"
    league.chain.advance(71 * HOUR_MS)
    assert league.step("buyer-a", m.ConfirmRedLetter, invoice) == "ok"
    league.chain.advance(71 * HOUR_MS)
    assert league.invoice(invoice).red == "RED_CONFIRMED"
    league.chain.advance(2 * HOUR_MS)
    assert league.invoice(invoice).red == "RED_LAPSED"
    letter = league.chain.get(APP, RedLetter, invoice, "1")
    assert letter is not None
    assert letter.status == "RED_LAPSED"


def test_red_letter_rejected_leaves_the_invoice_as_it_was(league: League) -> None:
    invoice = posted(league)
    assert league.step("buyer-b", m.RequestRedLetter, invoice, **ASK) == "not_the_party"
    assert league.step("seller-a", m.RequestRedLetter, invoice, **ASK) == "ok"
    assert league.step("seller-a", m.RequestRedLetter, invoice, **ASK) == "red_letter_open"
    assert league.step("buyer-a", m.RejectRedLetter, invoice) == "ok"
    assert league.invoice(invoice).red == "RED_REJECTED"
    assert league.chain.advance(80 * HOUR_MS).deadlines == ()
    league.walk(invoice, "buyer-a", m.ArchiveInvoice)


def test_nothing_moves_while_a_red_letter_is_open(league: League) -> None:
    invoice = delivered(league)
    assert league.step("seller-a", m.RequestRedLetter, invoice, **ASK) == "ok"
    for kind in (m.SubmitInvoice, m.ConfirmUse):
        assert league.step("buyer-a", kind, invoice) == "red_letter_open"


def test_invalid_use_for_input_vat_twice(league: League) -> None:
    invoice = delivered(league)
    assert league.step("seller-a", m.ConfirmUse, invoice) == "not_the_party"
    league.walk(invoice, "buyer-a", m.ConfirmUse)
    assert league.step("buyer-a", m.ConfirmUse, invoice) == "already_used"


def test_invalid_credit_while_reimbursed_and_not_yet_posted(league: League) -> None:
    invoice = delivered(league)
    league.walk(invoice, "buyer-a", *REIMBURSED)
    assert league.credit("seller-a", "C1", invoice) == "wrong_status"


# I8: holds and freezes ---------------------------------------------------------------------------


def test_invalid_credit_of_an_assigned_invoice_without_the_holder(league: League) -> None:
    invoice = delivered(league)
    league.hold(invoice)
    assert league.credit("seller-a", "C1", invoice) == "ledger.held"
    assert league.params["placed_by"] == league.did("bank")
    credit = IssueInvoice(content=make_credit(league.invoice(invoice).content, "C1"))
    league.must(("seller-a", "bank"), credit)
    record = league.chain.get(APP, Invoice, f"{TAX_IDS['seller-a']}:C1")
    assert record is not None
    assert record.consents == (league.did("bank"),)
    assert league.violations() == []


def test_assigned_invoice_is_still_delivered_and_reimbursed(league: League) -> None:
    invoice = delivered(league)
    league.hold(invoice)
    league.walk(invoice, "buyer-a", *REIMBURSED, m.PostInvoice)


def test_frozen_invoice_does_not_move_until_released(league: League) -> None:
    invoice = delivered(league)
    freeze, release = m.FreezeInvoice(invoice=invoice), m.ReleaseInvoice(invoice=invoice)
    assert league.send("bureau-hk", freeze) == "ledger.missing_role"
    assert league.send("bureau-cn", release) == "standing_unchanged"
    league.must("bureau-cn", freeze)
    assert league.send("bureau-cn", freeze) == "standing_unchanged"
    assert league.step("buyer-a", m.SubmitInvoice, invoice) == "frozen"
    assert league.credit("seller-a", "C1", invoice) == "frozen"
    league.must("bureau-cn", release)
    league.walk(invoice, "buyer-a", m.SubmitInvoice)


@pytest.mark.parametrize("kind", ["freeze", "seizure"])
def test_invoice_held_by_a_court_does_not_move(league: League, kind: str) -> None:
    invoice = delivered(league)
    league.hold(invoice, kind)
    assert league.step("buyer-a", m.SubmitInvoice, invoice) == "frozen"
    assert league.params["by"] == league.did("court")
    assert league.credit("seller-a", "C1", invoice) == "frozen"


# D4: bulk ----------------------------------------------------------------------------------------


def test_bulk_of_500_each_stands_alone(league: League) -> None:
    messages = [IssueInvoice(content=make_content("seller-a", str(n))) for n in range(500)]
    wrong = {
        7: ("number_used", make_content("seller-a", "6")),
        100: ("br_co_15", replace_totals(make_content("seller-a", "100"), with_vat=1)),
        250: ("not_the_party", make_content("seller-b", "250")),
        499: ("no_quota", make_content("seller-a", "499", currency="MOP")),
    }
    for at, (_code, content) in wrong.items():
        messages[at] = IssueInvoice(content=content)
    league.must(
        "bureau-cn",
        m.GrantQuota(seller=TAX_IDS["seller-a"], currency="CNY", amount=10**9, count=600),
    )
    result = league.chain.submit(league.actors["seller-a"], APP, *messages)
    codes = {each.index: each.code for each in result.messages if each.code != "ok"}
    assert codes == {at: f"{APP}.{code}" for at, (code, _content) in wrong.items()}
    quota = league.chain.get(APP, Quota, TAX_IDS["seller-a"], "CNY")
    assert quota is not None
    assert quota.numbers == 496
    assert league.violations() == []
