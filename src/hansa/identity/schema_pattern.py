"""Regular expressions that a schema may use: the part of ECMA-262 that costs linear time. Pure.

No look-around, no back reference, counted repetition within limits: what passes here compiles in
the engines of JavaScript, of Rust (which validates here) and of Python.
"""

import re
from typing import Final

PATTERN_CHARACTERS_MAX: Final = 256
# Product of all counted repetitions of one pattern: a bound for the size of its automaton.
REPETITION_MAX: Final = 100_000
_GROUPS_MAX: Final = 16

_ESCAPE: Final = r"\\(?:[dwsDWS]|[nrtfv]|[\^$\\.*+?()\[\]{}|/-])"
# Doubled, `|` means something else to some engines, as `&` and `~` do.
_IN_CLASS: Final = rf"(?:{_ESCAPE}|\|(?!\|)|[^\\\[\]&~|-])"
_CLASS: Final = rf"\[\^?{_IN_CLASS}(?:-{_IN_CLASS})?(?:{_IN_CLASS}(?:-{_IN_CLASS})?)*-?\]"
_TOKEN: Final = re.compile(
    rf"(?P<atom>{_ESCAPE}|{_CLASS}|[^\\^$.*+?()\[\]{{}}|]|\.)"
    r"|(?P<anchor>[\^$])"
    r"|(?P<open>\((?:\?:)?(?!\?))"
    r"|(?P<close>\))"
    r"|(?P<either>\|)"
    r"|(?P<repeat>(?:[*+?]|\{(?P<low>[0-9]{1,4})(?:(?P<comma>,)(?P<high>[0-9]{1,4})?)?\})\??)",
    re.DOTALL,
)


def is_linear_pattern(pattern: str) -> bool:
    """Whether a pattern is of the profile: linear, bounded, the same for every engine."""
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        return False
    position = depth = groups = 0
    repetition = 1
    before = "start"
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            return False
        kind = token.lastgroup if token.lastgroup not in ("low", "comma", "high") else "repeat"
        depth += (kind == "open") - (kind == "close")
        groups += kind == "open"
        if kind == "repeat":
            repetition *= _count_repetition(token)
        allowed = kind != "repeat" or before in ("atom", "close")
        if depth < 0 or groups > _GROUPS_MAX or not allowed or not 0 < repetition <= REPETITION_MAX:
            return False
        before, position = str(kind), token.end()
    return depth == 0 and _has_ordered_ranges(pattern)


def _has_ordered_ranges(pattern: str) -> bool:
    """Whether each range of a class goes upwards between characters: `[a-z]`, not `[z-a]`."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _count_repetition(token: re.Match[str]) -> int:
    """How often a repeated atom may stand: 0 when the counts are impossible, 1 for *, + and ?."""
    if token["low"] is None:
        return 1
    low = int(token["low"])
    high = int(token["high"]) if token["high"] is not None else low
    return max(low, high, 1) if high >= low else 0
