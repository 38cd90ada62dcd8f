"""Faults of a form: which field, which sentence, and how the API's own refusals find their field.
Pure.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# Codes of this form's own judgement, each with its sentence (message id of the catalogue).
SENTENCES: Final[dict[str, str]] = {
    "needed": "Fill this in.",
    "choose": "Choose one.",
    "number": "This is not a number.",
    "whole": "This is not a whole number.",
    "decimals": "At most {scale} decimal places.",
    "range": "This number is too large.",
    "ambiguous": "Is this a decimal sign or a thousands sign? Write it without thousands signs.",
    "low": "At least {low}.",
    "high": "At most {high}.",
    "date": "This is not a date. Write it as 2026-03-09.",
    "time": "This is not a time. Write it as 2026-03-09 14:30.",
    "span": "Write a number and d, h, min or s: 7 d.",
    "short": "At least {count} characters.",
    "long": "At most {count} characters.",
    "form": "This does not have the form that is needed here.",
    "control": "There are characters in it that cannot be shown.",
    "did": "This is not the DID of a member or an account.",
    "scheme": "No identifiers of the scheme {scheme} are known here.",
    "format": "An identifier of the scheme {scheme} is written differently.",
    "check_digit": "The check digit is wrong: one of the characters is not as on the certificate.",
    "few": "At least {count} of them.",
    "many": "At most {count} of them.",
    "json": "This is not JSON.",
    "message": "Choose an application and one of its messages first.",
}
_INDEX: Final = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. path: of the field, "" for the form; code: of SENTENCES, "" with words of its own
    (`text`, and what to do about it in `remedy`).
    """

    path: str
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    remedy: str = ""
    rule: str = ""

    def say(self, words: Callable[..., str]) -> str:
        """Its sentence in a language."""
        return words(SENTENCES[self.code], **self.params) if self.code else self.text


def find_path(place: str) -> str:
    """The path of a field in a form from that of the API: `$.content.lines[0].net`."""
    return _INDEX.sub(r".\1", place.removeprefix("$").removeprefix(".")).strip(".")


def guess_path(
    paths: Iterable[str], typed: Mapping[str, str], code: str, params: Mapping[str, Any]
) -> str:
    """The field that a refusal is about: the one that its parameter `field` or `path` names, else
    one named like a parameter, or like the end of its code, whose value it speaks of; "" for none.
    """
    known = list(paths)
    for name in ("path", "field"):
        place = find_path(str(params.get(name, "")))
        found = [each for each in known if each == place or each.endswith(f".{place}")]
        if place and found:
            return found[0]
    values = {str(value) for value in params.values()}
    for path in known:
        name = path.rpartition(".")[2]
        is_named = name in params or code.endswith(f"_{name}") or f".{name}_" in code
        if is_named and (typed.get(path, "") in values or name not in params):
            return path
    return ""
