"""Words and forms of the four languages: gettext catalogues, negotiation, numbers, money, dates.

The ledger holds codes and parameters (D14); what people read is here. Knows no application, no
console and no node.
"""

from hansa.locales.languages import LANGUAGES, Language, find_language, negotiate
from hansa.locales.readable import make_readable
from hansa.locales.words import Words, choose_context, load_words, mark

__all__ = [
    "LANGUAGES",
    "Language",
    "Words",
    "choose_context",
    "find_language",
    "load_words",
    "make_readable",
    "mark",
    "negotiate",
]
