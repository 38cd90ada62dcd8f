"""Identifiers and check digits: vectors of the registries, and every single wrong digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.primitives.identifiers import (
    SCHEMES,
    InvalidIdentifier,
    check_identifier,
    compute_gs1_digit,
    compute_uscc_digit,
    normalise,
)

# (scheme, value, where the value is published)
VECTORS = [
    ("CN-USCC", "91350100M000100Y43", "GB 32100-2015, the example of the standard"),
    ("CN-USCC", "91110000600037341L", "python-stdnum 1.20, stdnum.cn.uscc"),
    ("0199", "54930084UKLVMY22DS16", "python-stdnum 1.20, stdnum.lei"),
    ("0199", "5493001KJTIIGC8Y1R12", "GLEIF, Bloomberg Finance L.P."),
    ("0088", "5790000436101", "EN 16931 examples, ubl-tc434-example4.xml"),
    ("0088", "1238764941386", "EN 16931 examples, ubl-tc434-example2.xml"),
    ("GTIN", "4006381333931", "Wikipedia, International Article Number"),
    ("SSCC", "106141412345678908", "GS1 EPC Tag Data Standard, SSCC example"),
    ("0002", "732829320", "Wikipedia, SIREN (ADEME's example)"),
    ("0009", "73282932000074", "Wikipedia, SIRET"),
    ("0007", "556016-0680", "Bolagsverket, Telefonaktiebolaget LM Ericsson"),
    ("0151", "51 824 753 556", "Australian Taxation Office, its own ABN"),
    ("0183", "CHE-107.787.577", "python-stdnum 1.20, stdnum.ch.uid"),
    ("0184", "DK 13585628", "python-stdnum 1.20, stdnum.dk.cvr"),
    ("0188", "7000012050002", "National Tax Agency of Japan, its own number"),
    ("0192", "974 760 673", "Brønnøysundregistrene, its own number"),
    ("0192", "NO974760673MVA", "the same, as a VAT invoice writes it"),
    ("0196", "450401-3150", "python-stdnum 1.20, stdnum.is_.kennitala"),
    ("0204", "04011000-1234512345-06", "KoSIT, Formatspezifikation Leitweg-ID"),
    ("0208", "0428.759.497", "python-stdnum 1.20, stdnum.be.vat"),
    ("0211", "IT00743110157", "python-stdnum 1.20, stdnum.it.iva"),
    ("0212", "2077474-0", "python-stdnum 1.20, stdnum.fi.ytunnus"),
    ("VAT", "NL8200.98.395.B.01", "EN 16931 examples, guide-example1.xml"),
    ("VAT", "IT01598570354", "EN 16931 examples"),
    ("VAT", "CHE123456789", "a country outside the list: the shape only"),
    ("HK-BRN", "00000000", "invented"),
    ("MO-BIR", "81234567", "invented"),
]
CHECKED = [(scheme, value) for scheme, value, _ in VECTORS if SCHEMES[scheme].check]


@pytest.mark.parametrize(("scheme", "value", "source"), VECTORS)
def test_a_published_identifier_holds(scheme: str, value: str, source: str) -> None:
    check_identifier(scheme, value)


@pytest.mark.parametrize(("scheme", "value"), [v for v in CHECKED if v[0] != "VAT"])
def test_one_wrong_digit_is_found(scheme: str, value: str) -> None:
    plain = normalise(scheme, value)
    for place, char in enumerate(plain):
        if not char.isdigit() or (scheme == "0196" and place == 9):  # the century is not covered
            continue
        for other in "0123456789":
            wrong = plain[:place] + other + plain[place + 1 :]
            if other != char and not _is_known_weakness(scheme, char, other):
                with pytest.raises(InvalidIdentifier):
                    check_identifier(scheme, wrong)


def _is_known_weakness(scheme: str, one: str, other: str) -> bool:
    """Mod 9 of the Japanese number can't tell 0 from 9."""
    return scheme == "0188" and {one, other} == {"0", "9"}


@pytest.mark.parametrize(
    ("scheme", "value", "reason"),
    [
        ("CN-USCC", "91350100M000100Y44", "check_digit"),
        ("CN-USCC", "91350100I000100Y43", "format"),
        ("CN-USCC", "91350100M000100Y4", "format"),
        ("CN-USCC", "９1350100M000100Y43", "format"),
        ("0088", "5790000436102", "check_digit"),
        ("0088", "579000043610", "format"),
        ("0192", "NO12", "format"),
        ("0184", "16356706", "check_digit"),
        ("VAT", "DE12345678", "format"),
        ("VAT", "", "format"),
        ("HK-BRN", "1234567", "format"),
        ("HK-BRN", "1234567A", "format"),
        ("MO-BIR", "", "format"),
        ("9999", "1", "scheme"),
        ("", "", "scheme"),
    ],
)
def test_an_identifier_that_does_not_hold_says_why(scheme: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidIdentifier) as invalid:
        check_identifier(scheme, value)
    assert (invalid.value.scheme, invalid.value.reason) == (scheme, reason)


@given(st.text("0123456789", min_size=7, max_size=17))
def test_a_computed_gs1_digit_holds(digits: str) -> None:
    number = digits + compute_gs1_digit(digits)
    for scheme, lengths in (("GTIN", (8, 12, 13, 14)), ("0088", (13,)), ("SSCC", (18,))):
        if len(number) in lengths:
            check_identifier(scheme, number)


@given(
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9),
)
def test_a_computed_credit_code_holds_and_its_neighbours_do_not(a: str, b: str, c: str) -> None:
    code = a + b + c
    digit = compute_uscc_digit(code)
    check_identifier("CN-USCC", code + digit)
    for other in set("0123456789ABCDEFGHJKLMNPQRTUWXY") - {digit}:
        with pytest.raises(InvalidIdentifier):
            check_identifier("CN-USCC", code + other)


@given(st.sampled_from(sorted(SCHEMES)), st.text(max_size=24))
def test_any_text_is_judged_and_nothing_else_is_raised(scheme: str, value: str) -> None:
    try:
        check_identifier(scheme, value)
    except InvalidIdentifier:
        return
    assert SCHEMES[scheme].pattern.fullmatch(normalise(scheme, value))


@pytest.mark.parametrize(("scheme", "value"), CHECKED)
def test_normalising_twice_changes_nothing(scheme: str, value: str) -> None:
    once = normalise(scheme, value)
    assert normalise(scheme, once) == once
    check_identifier(scheme, once)
