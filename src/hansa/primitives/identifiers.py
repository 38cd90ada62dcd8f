"""Identifiers of organisations and things, with their check digits. Pure, imports only `re`.

`check_identifier(scheme, value)` raises; schemes are ISO 6523 codes where one exists (I10).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


class InvalidIdentifier(ValueError):
    """An identifier that does not hold: `reason` is `scheme`, `format` or `check_digit`."""

    def __init__(self, scheme: str, reason: str) -> None:
        super().__init__(f"{scheme}: {reason}")
        self.scheme = scheme
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of identifier. `check` is None where no check digit is published."""

    title: str
    jurisdiction: str  # ISO 3166-1 alpha-2, or "" for the whole world
    pattern: re.Pattern[str]
    check: Callable[[str], bool] | None
    source: str  # where the rule is published


def check_identifier(scheme: str, value: str) -> None:
    """Check format and check digits of an identifier, spaces and punctuation apart.

    Raises InvalidIdentifier: unknown scheme, wrong format, or wrong check digit.
    """
    known = SCHEMES.get(scheme)
    if known is None:
        raise InvalidIdentifier(scheme, "scheme")
    plain = normalise(scheme, value)
    if known.pattern.fullmatch(plain) is None:
        raise InvalidIdentifier(scheme, "format")
    if known.check is not None and not known.check(plain):
        raise InvalidIdentifier(scheme, "check_digit")


def is_canonical(scheme: str, value: str) -> bool:
    """Whether an identifier holds and is written in its one way."""
    try:
        check_identifier(scheme, value)
    except InvalidIdentifier:
        return False
    return value == normalise(scheme, value)


def normalise(scheme: str, value: str) -> str:
    """The one way to write an identifier: capitals, without spaces, dots, hyphens and slashes.

    A Leitweg-ID keeps its hyphens: they part its three fields. Not a check.
    """
    kept = value.strip().upper() if value.isascii() else value.strip()
    dropped = " \t" if scheme == "0204" else " \t.-/"
    plain = "".join(character for character in kept if character not in dropped)
    return _PREFIXES[scheme].sub("", plain) if scheme in _PREFIXES else plain


def compute_gs1_digit(digits: str) -> str:
    """The check digit of a GTIN, GLN or SSCC without it (GS1 General Specifications 7.9)."""
    codes = digits.encode()[::-1]
    total = 3 * sum(codes[::2]) + sum(codes[1::2]) - 48 * (len(codes) + 2 * len(codes[::2]))
    return str(-total % 10)


def compute_uscc_digit(code: str) -> str:
    """The last character of a unified social credit code of 17 (GB 32100-2015, annex A)."""
    total = sum(_USCC.index(char) * pow(3, place, 31) for place, char in enumerate(code))
    return _USCC[-total % 31]


# -- check digits -----------------------------------------------------------------

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _is_uscc(value: str) -> bool:
    return compute_uscc_digit(value[:17]) == value[17]


def _is_gs1(value: str) -> bool:
    return compute_gs1_digit(value[:-1]) == value[-1]


def _is_mod_97_10(value: str) -> bool:
    """ISO/IEC 7064 MOD 97-10 over digits and letters (A = 10)."""
    return int("".join(str(int(char, 36)) for char in value)) % 97 == 1


def _is_luhn(value: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(value)):
        doubled = int(char) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_weighted(weights: tuple[int, ...], modulus: int) -> Callable[[str], bool]:
    """Digits times weights come to a multiple of the modulus."""

    def is_weighted(value: str) -> bool:
        digits = map(int, value)
        return sum(a * b for a, b in zip(digits, weights, strict=True)) % modulus == 0

    return is_weighted


def _is_belgian(value: str) -> bool:
    return 97 - int(value[:8]) % 97 == int(value[8:])


def _is_leitweg(value: str) -> bool:
    return _is_mod_97_10(value.replace("-", ""))


def _is_abn(value: str) -> bool:
    weights = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
    digits = [int(value[0]) - 1, *map(int, value[1:])]
    return sum(a * b for a, b in zip(digits, weights, strict=True)) % 89 == 0


def _is_japanese(value: str) -> bool:
    total = sum(
        int(digit) * (1 if place % 2 == 0 else 2) for place, digit in enumerate(reversed(value[1:]))
    )
    return 9 - total % 9 == int(value[0])


def _is_swiss(value: str) -> bool:
    weights = (5, 4, 3, 2, 7, 6, 5, 4)
    total = sum(int(a) * b for a, b in zip(value[3:11], weights, strict=True))
    return -total % 11 == int(value[11])


_norwegian = _is_weighted((3, 2, 7, 6, 5, 4, 3, 2, 1), 11)
_danish = _is_weighted((2, 7, 6, 5, 4, 3, 2, 1), 11)
_finnish = _is_weighted((7, 9, 10, 5, 8, 4, 2, 1), 11)
_icelandic = _is_weighted((3, 2, 7, 6, 5, 4, 3, 2, 1, 0), 11)


# -- value added tax identifiers ----------------------------------------------------

# Council Directive 2006/112/EC art. 215 and the national formats that VIES lists; no check digits:
# the formats with one change, and VIES is the authority on what exists.
_VAT_FORMATS: Mapping[str, str] = {
    "AT": "U[0-9]{8}",
    "BE": "[01][0-9]{9}",
    "BG": "[0-9]{9,10}",
    "CY": "[0-9]{8}[A-Z]",
    "CZ": "[0-9]{8,10}",
    "DE": "[0-9]{9}",
    "DK": "[0-9]{8}",
    "EE": "[0-9]{9}",
    "EL": "[0-9]{9}",
    "ES": "[0-9A-Z][0-9]{7}[0-9A-Z]",
    "FI": "[0-9]{8}",
    "FR": "[0-9A-Z]{2}[0-9]{9}",
    "HR": "[0-9]{11}",
    "HU": "[0-9]{8}",
    "IE": "[0-9][0-9A-Z+*][0-9]{5}[A-Z]{1,2}",
    "IT": "[0-9]{11}",
    "LT": "([0-9]{9}|[0-9]{12})",
    "LU": "[0-9]{8}",
    "LV": "[0-9]{11}",
    "MT": "[0-9]{8}",
    "NL": "[0-9A-Z+*]{12}",
    "NO": "[0-9]{9}(MVA)?",
    "PL": "[0-9]{10}",
    "PT": "[0-9]{9}",
    "RO": "[0-9]{2,10}",
    "SE": "[0-9]{12}",
    "SI": "[0-9]{8}",
    "SK": "[0-9]{10}",
    "XI": "([0-9]{9}|[0-9]{12}|(GD|HA)[0-9]{3})",
}


_VAT = "|".join(
    (
        *(f"{country}(?:{pattern})" for country, pattern in _VAT_FORMATS.items()),
        f"(?!{'|'.join(_VAT_FORMATS)})[0-9A-Z]{{2}}[0-9A-Z+*]{{2,13}}",
    )
)


# -- the schemes --------------------------------------------------------------------


def _scheme(
    title: str,
    jurisdiction: str,
    pattern: str,
    check: Callable[[str], bool] | None,
    source: str,
) -> Scheme:
    return Scheme(title, jurisdiction, re.compile(pattern), check, source)


SCHEMES: Mapping[str, Scheme] = {
    # the bay area
    "CN-USCC": _scheme(
        "Unified social credit code 统一社会信用代码",
        "CN",
        f"[{_USCC}]{{2}}[0-9]{{6}}[{_USCC}]{{10}}",
        _is_uscc,
        "GB 32100-2015",
    ),
    "HK-BRN": _scheme(
        "Business registration number 商業登記號碼",
        "HK",
        "[0-9]{8}",
        None,
        "Business Registration Ordinance, Cap. 310 (no check digit is published)",
    ),
    "MO-BIR": _scheme(
        "Taxpayer number 納稅人編號 (Número de contribuinte)",
        "MO",
        "[0-9]{8}",
        None,
        "Financial Services Bureau of Macao (no check digit is published)",
    ),
    # the world
    "0199": _scheme(
        "Legal Entity Identifier", "", "[0-9A-Z]{18}[0-9]{2}", _is_mod_97_10, "ISO 17442-1"
    ),
    "0088": _scheme("Global Location Number", "", "[0-9]{13}", _is_gs1, "GS1 GenSpecs 7.9"),
    "GTIN": _scheme(
        "Global Trade Item Number", "", "[0-9]{8}|[0-9]{12,14}", _is_gs1, "GS1 GenSpecs 7.9"
    ),
    "SSCC": _scheme("Serial Shipping Container Code", "", "[0-9]{18}", _is_gs1, "GS1 GenSpecs 7.9"),
    "0060": _scheme("DUNS number", "", "[0-9]{9}", None, "ISO 6523 ICD list"),
    "VAT": _scheme(
        "VAT identifier",
        "",
        _VAT,
        None,
        "Directive 2006/112/EC art. 215",
    ),
    # by country, as invoices use them
    "0002": _scheme("SIREN", "FR", "[0-9]{9}", _is_luhn, "INSEE"),
    "0007": _scheme("Organisationsnummer", "SE", "[0-9]{10}", _is_luhn, "Skatteverket SKV 709"),
    "0009": _scheme("SIRET", "FR", "[0-9]{14}", _is_luhn, "INSEE"),
    "0096": _scheme("P-nummer", "DK", "[0-9]{10}", None, "ISO 6523 ICD list"),
    "0106": _scheme("KvK-nummer", "NL", "[0-9]{8}", None, "Kamer van Koophandel"),
    "0151": _scheme(
        "Australian Business Number", "AU", "[1-9][0-9]{10}", _is_abn, "Australian Taxation Office"
    ),
    "0183": _scheme(
        "Unternehmens-Identifikationsnummer",
        "CH",
        "CHE[0-9]{9}",
        _is_swiss,
        "Bundesamt für Statistik, eCH-0097",
    ),
    "0184": _scheme("CVR-nummer", "DK", "[0-9]{8}", _danish, "Erhvervsstyrelsen"),
    "0188": _scheme(
        "Corporate Number", "JP", "[1-9][0-9]{12}", _is_japanese, "National Tax Agency"
    ),
    "0190": _scheme("Organisatie-identificatienummer", "NL", "[0-9]{20}", None, "Logius"),
    "0191": _scheme("Registrikood", "EE", "[0-9]{8}", None, "ISO 6523 ICD list"),
    "0192": _scheme(
        "Organisasjonsnummer", "NO", "[89][0-9]{8}", _norwegian, "Brønnøysundregistrene"
    ),
    "0195": _scheme(
        "Unique Entity Number",
        "SG",
        "[0-9]{8,9}[A-Z]|[TSR][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z]",
        None,
        "ISO 6523 ICD list",
    ),
    "0196": _scheme("Kennitala", "IS", "[0-9]{10}", _icelandic, "Þjóðskrá"),
    "0201": _scheme("Codice IPA", "IT", "[0-9A-Z]{6}", None, "AgID"),
    "0204": _scheme(
        "Leitweg-ID",
        "DE",
        "[0-9]{2,12}(-[0-9A-Z]{1,30})?-[0-9]{2}",
        _is_leitweg,
        "KoSIT, Formatspezifikation Leitweg-ID 2.0",
    ),
    "0208": _scheme(
        "Ondernemingsnummer", "BE", "[01][0-9]{9}", _is_belgian, "Kruispuntbank van Ondernemingen"
    ),
    "0211": _scheme(
        "Partita IVA",
        "IT",
        "IT[0-9]{11}|[0-9]{11}",
        lambda value: _is_luhn(value.removeprefix("IT")),
        "Agenzia delle Entrate",
    ),
    "0212": _scheme("Y-tunnus", "FI", "[0-9]{8}", _finnish, "Patentti- ja rekisterihallitus"),
}

# Prefixes that people write before a number that the scheme does not count as part of it.
_PREFIXES: Mapping[str, re.Pattern[str]] = {
    "0184": re.compile("^DK"),
    "0192": re.compile("^NO|MVA$"),
    "0208": re.compile("^BE"),
    "0212": re.compile("^FI"),
}
