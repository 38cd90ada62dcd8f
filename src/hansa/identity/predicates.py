"""Claims derived by an issuer so that its holder need not show more: ages reached, bands. Pure.

What they hide: a verifier who is shown only `age_over_18` learns that the age was reached, not the
date of birth. What they do not hide: (1) each derived claim must be disclosable by itself: shown
together, thresholds bound the age from both sides; (2) the answer is as at the day of issue: `true`
stays true, `false` grows old, so issue again; (3) the issuer's signature and the digests are the
same in every presentation: two verifiers who compare them know that it was one holder. Against
that, issue many credentials and show each once (or use a BBS suite, which is not here); (4) the
issuer knows everything. Nothing here is a zero-knowledge proof.
"""

import re
from collections.abc import Sequence
from typing import Final

from hansa.identity.moments import InvalidMoment, parse_moment

AGES_MAX: Final = 16
BANDS_MAX: Final = 32
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def derive_ages(birth_day: str, ages: Sequence[int], *, on: str) -> dict[str, bool]:
    """`{"age_over_18": true, …}` for each age in years, reached on the day `on` or before.

    Days are `YYYY-MM-DD` of the calendar of whoever asks. Who was born on 29 February reaches an
    age on 1 March of other years. Raises ValueError.
    """
    born, day = _read_day(birth_day), _read_day(on)
    if born > day:
        raise ValueError("born after the day of issue")
    if len(ages) > AGES_MAX or not all(0 < age < 150 for age in ages):
        raise ValueError(f"at most {AGES_MAX} ages, from 1 to 149 years")
    return {
        f"age_over_{age}": (born[0] + age, born[1], born[2]) <= day for age in sorted(set(ages))
    }


def derive_band(value: int, edges: Sequence[int]) -> dict[str, int]:
    """`{"from": 20000, "below": 50000}`: the band of an amount among ascending edges.

    The first band has no `from`, the last no `below`. A band hides the amount only as well as many
    others fall into it: that is for whoever chooses the edges. Raises ValueError.
    """
    if not edges or len(edges) > BANDS_MAX or list(edges) != sorted(set(edges)):
        raise ValueError(f"1 to {BANDS_MAX} ascending edges")
    lower = [edge for edge in edges if edge <= value]
    upper = [edge for edge in edges if edge > value]
    band: dict[str, int] = {}
    if lower:
        band["from"] = lower[-1]
    if upper:
        band["below"] = upper[0]
    return band


def _read_day(text: str) -> tuple[int, int, int]:
    try:
        if _DAY.fullmatch(text) is None:
            raise InvalidMoment("not a day (YYYY-MM-DD)")
        parse_moment(f"{text}T00:00:00Z")
    except InvalidMoment as error:
        raise ValueError(f"{text[:40]}: {error}") from error
    return int(text[:4]), int(text[5:7]), int(text[8:])
