"""Lists every word that a language lacks, and writes the catalogues' skeletons.

`catalogue.py`: a summary, and exit 1 while anything lacks or is wrong. `--list [LANGUAGE]`: each
word that lacks. `--write`: adds the missing entries to the .po files (empty, in English a draft),
sorts them, takes away what nothing asks for. `--json`: what lacks and what is wrong, by language.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import wanted_words
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po
from wanted_words import Wanted

from hansa.locales.languages import LANGUAGES, Language
from hansa.locales.words import DOMAIN, locate_catalogue, read_catalogue

_PLACE = re.compile(r"\{(\w+)\}")
_COMMENT_MAX = 200


def has_words(message: Message | None) -> bool:
    """Whether a catalogue's entry says something."""
    if message is None or message.fuzzy:
        return False
    return all(read_texts(message))


def read_texts(message: Message) -> tuple[str, ...]:
    """An entry's texts: one, or one for each plural form."""
    text: Any = message.string
    return tuple(text) if isinstance(text, tuple | list) else (text or "",)


def find(catalogue: Catalog, wanted: Wanted) -> Message | None:
    """The entry of a word."""
    return catalogue.get(wanted.name, wanted.context or None)


def list_missing(language: Language, catalogue: Catalog) -> list[Wanted]:
    """Words that a language lacks. English sentences are their own words."""
    return [
        each
        for each in wanted_words.list_wanted()
        if not has_words(find(catalogue, each)) and not (language.tag == "en" and not each.context)
    ]


def list_faults(catalogue: Catalog) -> list[str]:
    """Entries whose {places} are not those of the English, or that hold mark-up."""
    faults = []
    for wanted in wanted_words.list_wanted():
        message = find(catalogue, wanted)
        if message is None or not has_words(message):
            continue
        allowed = set(_PLACE.findall(f"{wanted.english} {wanted.many}")) | _find_params(wanted)
        for text in read_texts(message):
            unknown = set(_PLACE.findall(text)) - allowed
            lost = set(_PLACE.findall(wanted.english)) - set(_PLACE.findall(text))
            if unknown or (lost and not wanted.context and not wanted.many):
                faults.append(f"{wanted.context} {wanted.name!r}: {sorted(unknown | lost)}")
            if re.search(r"<[a-zA-Z/!]", text):
                faults.append(f"{wanted.context} {wanted.name!r}: mark-up")
    return faults


def _find_params(wanted: Wanted) -> set[str]:
    """Places that text and remedy of one code may share: their parameters are the same."""
    if wanted.context not in ("rejection", "remedy"):
        return set()
    both = [
        each.english
        for each in wanted_words.list_wanted()
        if each.name == wanted.name and each.context in ("rejection", "remedy")
    ]
    return set(_PLACE.findall(" ".join(both)))


def update(language: Language) -> int:
    """Write a catalogue with an entry for every word; gives how many are new."""
    known = read_catalogue(language)
    fresh = Catalog(
        locale=language.folder,
        domain=DOMAIN,
        project="Hansa",
        header_comment=f"# {language.name}: words of the console. tools/catalogue.py --write",
        fuzzy=False,
    )
    count = 0
    for wanted in wanted_words.list_wanted():
        message = find(known, wanted)
        text: Any = message.string if message is not None and not message.fuzzy else ""
        if not text or (isinstance(text, tuple | list) and not any(text)):
            count += message is None
            text = draft(language, wanted)
        name: Any = (wanted.name, wanted.many) if wanted.many else wanted.name
        comment = " ".join(f"{wanted.place} {_explain(wanted)}".split())[:_COMMENT_MAX]
        fresh.add(name, text, context=wanted.context or None, auto_comments=[comment])
    path = locate_catalogue(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        write_po(stream, fresh, width=0, omit_header=False, sort_output=False)
    lines = path.read_text(encoding="utf-8").splitlines()
    # Dates and tools in the header would differ at every writing.
    kept = [line for line in lines if not re.match(r'"(POT|PO|Generated|Last|Report)[^"]*', line)]
    path.write_text("\n".join(kept).rstrip() + "\n", encoding="utf-8")
    return count


def _explain(wanted: Wanted) -> str:
    return f"| {wanted.english}" if wanted.context and wanted.english else ""


def draft(language: Language, wanted: Wanted) -> Any:
    """What a new entry begins with: in English what the code says, else nothing."""
    is_english = language.tag == "en"
    if wanted.many:
        forms = (wanted.name, wanted.many) if is_english else ("", "")
        return forms[:1] if language.tag.startswith("zh") else forms
    return wanted.english if is_english else ""


def show(languages: list[Language], *, is_list: bool) -> Iterator[tuple[str, Any]]:
    """What lacks and what is wrong, by language."""
    for language in languages:
        catalogue = read_catalogue(language)
        missing = list_missing(language, catalogue)
        faults = list_faults(catalogue)
        yield (
            language.tag,
            {
                "missing": [f"{each.context}: {each.name}" for each in missing],
                "faults": faults,
            },
        )
        if is_list:
            for each in missing:
                print(f"{language.tag}\t{each.context}\t{each.name}\t{each.english}")


def main() -> int:
    """1 while anything lacks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", nargs="?", const="", metavar="LANGUAGE")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    languages = [each for tag, each in LANGUAGES.items() if options.list in (None, "", tag)]
    if options.write:
        for language in languages:
            print(f"{language.tag}: {update(language)} new")
    found = dict(show(languages, is_list=options.list is not None))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    elif options.list is None:
        total = len(wanted_words.list_wanted())
        for tag, each in found.items():
            print(f"{tag}: {len(each['missing'])} of {total} lack; {len(each['faults'])} wrong")
            for fault in each["faults"][:20]:
                print(f"  {fault}")
    return 1 if any(each["missing"] or each["faults"] for each in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
