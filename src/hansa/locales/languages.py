"""The four languages, and which of them a reader gets (RFC 4647 look-up over RFC 9110 12.5.4)."""

from dataclasses import dataclass
from typing import Final

# More of an Accept-Language header than any browser sends.
_HEADER_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the console.

    tag: BCP 47, in addresses and `lang`; folder: of its catalogue; locale: whose numbers and dates
    (CLDR); name: in itself.
    """

    tag: str
    folder: str
    locale: str
    name: str


LANGUAGES: Final[dict[str, Language]] = {
    each.tag: each
    for each in (
        Language("zh-Hans", "zh_Hans", "zh_Hans_CN", "简体中文"),
        Language("zh-Hant", "zh_Hant", "zh_Hant_HK", "繁體中文"),
        Language("en", "en", "en_HK", "English"),
        Language("pt", "pt", "pt_MO", "Português"),
    )
}
DEFAULT: Final = LANGUAGES["en"]
# Places and varieties of Chinese that write traditional characters.
_TRADITIONAL = frozenset({"hant", "hk", "mo", "tw"})


def find_language(tag: str) -> Language | None:
    """The language of a tag, None when there is none: `zh-HK` is zh-Hant, `pt-BR` is pt."""
    parts = tag.strip().lower().replace("_", "-").split("-")
    if parts[0] == "yue":
        return LANGUAGES["zh-Hans" if "hans" in parts else "zh-Hant"]
    if parts[0] == "zh":
        is_traditional = "hans" not in parts and not _TRADITIONAL.isdisjoint(parts)
        return LANGUAGES["zh-Hant" if is_traditional else "zh-Hans"]
    return LANGUAGES.get(parts[0])


def negotiate(accepted: str) -> Language:
    """The best language for an Accept-Language header; English when none of ours is wanted."""
    best, best_weight = DEFAULT, 0.0
    for entry in accepted[:_HEADER_MAX].split(","):
        tag, _sep, parameter = entry.partition(";")
        weight = _read_weight(parameter)
        found = find_language(tag)
        if found is not None and weight > best_weight:
            best, best_weight = found, weight
    return best


def _read_weight(parameter: str) -> float:
    name, _sep, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
