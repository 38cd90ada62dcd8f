"""Rows and totals of e_invoice: exact, net of credits; its README names all that there is."""

from pathlib import Path

import msgspec
import pytest

from hansa.apps import e_invoice
from hansa.apps.e_invoice import APPLICATION, views
from hansa.apps.e_invoice.model import Invoice, InvoiceContent, Quota
from hansa.apps.e_invoice.model import messages as m
from hansa.ledger.state import scan_records
from tests.apps.e_invoice.league import APP, TAX_IDS, League, make_person, register

README = Path(e_invoice.__file__).with_name("README.md").read_text(encoding="utf-8")
RATES = (("1", 100_00, "S", 130_000), ("2", 50_00, "S", 60_000), ("3", 20_00, "E", 0))


@pytest.fixture(scope="module")
def league() -> League:
    """Three invoices and a credit: two months, two currencies."""
    league = League()
    for currency in ("CNY", "HKD"):
        league.must(
            "bureau-cn",
            m.GrantQuota(seller=TAX_IDS["seller-a"], currency=currency, amount=10**9, count=99),
        )
    first = league.issue("seller-a", "1", lines=RATES)
    league.issue("seller-a", "2", buyer=make_person("anna"), issue_date="2026-06-01")
    league.issue("seller-a", "3", currency="HKD")
    assert league.credit("seller-a", "4", first, lines=(("2", 10_00, "S", 60_000),)) == "ok"
    league.walk(first, "buyer-a", m.DeliverInvoice, m.SubmitInvoice, m.ReimburseInvoice)
    return league


def list_invoices(league: League) -> list[Invoice]:
    return scan_records(league.chain.state, APP, Invoice, limit=100)


def test_totals_by_status_period_and_currency_are_exact(league: League) -> None:
    rows = [views.project_invoice(invoice) for invoice in list_invoices(league)]
    by = ("status", "period", "currency")
    assert views.compute_totals(rows, by, ("without_vat", "vat", "with_vat")) == {
        ("ISSUED", "2026-05", "CNY"): (-10_00, -60, -10_60, 1),
        ("ISSUED", "2026-05", "HKD"): (100_00, 13_00, 113_00, 1),
        ("ISSUED", "2026-06", "CNY"): (100_00, 13_00, 113_00, 1),
        ("REIMBURSED", "2026-05", "CNY"): (170_00, 16_00, 186_00, 1),
    }


def test_totals_by_rate_are_net_of_credits(league: League) -> None:
    rows = [row for invoice in list_invoices(league) for row in views.compute_vat_rows(invoice)]
    assert views.compute_totals(rows, ("currency", "rate"), ("taxable", "tax")) == {
        ("CNY", "E 0%"): (20_00, 0, 1),
        ("CNY", "S 13%"): (200_00, 26_00, 2),
        ("CNY", "S 6%"): (40_00, 2_40, 2),
        ("HKD", "S 13%"): (100_00, 13_00, 1),
    }


def test_totals_agree_with_the_quota(league: League) -> None:
    rows = [views.project_invoice(invoice) for invoice in list_invoices(league)]
    sums = views.compute_totals(rows, ("currency",), ("without_vat",))
    quotas = scan_records(league.chain.state, APP, Quota, limit=100)
    used = {
        (quota.currency,): quota.used for quota in quotas if quota.seller == TAX_IDS["seller-a"]
    }
    assert {key: total[0] for key, total in sums.items()} == used


def test_sums_never_mix_currencies() -> None:
    assert [table.name for table in views.TABLES if table.totals and table.unit != "currency"] == []


def test_totals_by_vat_rate_agree_with_those_of_the_invoices(league: League) -> None:
    table = next(table for table in views.TABLES if table.name == "vat")
    rows = [row for invoice in list_invoices(league) for row in table.project(invoice)]
    by_rate = views.compute_totals(rows, ("currency", "rate"), table.totals)
    invoices = [views.project_invoice(invoice) for invoice in list_invoices(league)]
    whole = views.compute_totals(invoices, ("currency",), ("without_vat", "vat"))
    for (currency,), (taxable, tax, _count) in whole.items():
        parts = [sums for (other, _rate), sums in by_rate.items() if other == currency]
        assert (sum(p[0] for p in parts), sum(p[1] for p in parts)) == (taxable, tax)


@pytest.mark.parametrize(
    ("ppm", "text"), [(250_000, "S 25%"), (99_750, "S 9.975%"), (5_000, "S 0.5%"), (0, "S 0%")]
)
def test_rates_are_written_exactly(ppm: int, text: str) -> None:
    assert views.format_rate("S", ppm) == text


def test_every_row_has_the_columns_of_its_table(league: League) -> None:
    league.must("bureau-hk", register("HK-BRN:11112222", league.did("seller-b")))
    for table in views.TABLES:
        for record in scan_records(league.chain.state, APP, table.record, limit=100):
            projected = table.project(record)
            for row in [projected] if isinstance(projected, dict) else projected:
                assert set(row) == {column.name for column in table.columns}, table.name
                for column in table.columns:
                    kind = int if column.type == "integer" else str
                    assert isinstance(row[column.name], kind), (table.name, column.name)
        assert set(table.totals) <= {c.name for c in table.columns if c.type == "integer"}


def test_no_row_and_no_record_names_a_person(league: League) -> None:
    buyer = next(i for i in list_invoices(league) if i.content.number == "2")
    assert buyer.content.buyer.startswith("p:")
    assert buyer.buyer_member == ""
    assert buyer.parties() == (league.did("seller-a"),)


# The README -----------------------------------------------------------------------------------


def test_readme_names_every_message_event_role_state_and_table() -> None:
    named = [each.__name__ for each in (*APPLICATION.messages, *APPLICATION.events)]
    named += [role.name for role in APPLICATION.roles]
    named += [table.name for table in APPLICATION.tables]
    for name in named:
        assert f"`{name}`" in README, name


def test_readme_has_every_rejection_as_it_is() -> None:
    for each in APPLICATION.rejections:
        row = f"| `{each.CODE}` | {each.RULE} | {each.TEXT} | {each.REMEDY} |"
        assert row in README, row


def test_readme_lists_every_field_that_goes_on_chain() -> None:
    privacy = README.split("## Privacy")[1].split("## Queries")[0]
    for kind in (*APPLICATION.records, InvoiceContent):
        rows = "".join(row for row in privacy.splitlines() if f"| `{kind.__name__}`:" in row)
        for field in msgspec.structs.fields(kind):
            assert f"`{field.name}`" in rows, (kind.__name__, field.name)
