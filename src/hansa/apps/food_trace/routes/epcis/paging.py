"""Pages: `perPage`, `nextPageToken`, Link headers (GS1 EPCIS 2.0 clause 12.6.1). Pure.

A token holds its whole question, so that a client may follow the link with nothing but the token;
it opens nothing that its bearer could not ask for, and nothing is kept for it here.
"""

import binascii
import zlib
from typing import Any, Final

import msgspec

from hansa.appkit.route import Asking, Place
from hansa.apps.food_trace.routes.epcis.problems import refuse
from hansa.encoding.text import TextError, decode_base64url, encode_base64url

PER_PAGE: Final = 30
PER_PAGE_MAX: Final = 1_000
# A token must fit an address; what it unfolds to is a question as in an address.
TOKEN_CHARACTERS_MAX: Final = 4_000
UNFOLDED_BYTES_MAX: Final = 16_000
NEXT: Final = "nextPageToken"
_PAGING: Final = (NEXT, "perPage")


class Token(msgspec.Struct, frozen=True, array_like=True):
    """Where a list goes on. `of`: which list; `query`: its parameters as given; `after`: the last
    place; `left`: how many may still come (-1: any number).
    """

    of: str
    query: tuple[tuple[str, str], ...]
    after: Place
    per_page: int
    left: int = -1


def encode_token(token: Token) -> str:
    """The token as text without `=`: some clients cut an address at that sign."""
    packed = zlib.compress(msgspec.json.encode(token), 9)
    return encode_base64url(packed)


def read_token(text: str, of: str) -> Token:
    """The token of a list. Raises Trouble."""
    try:
        if len(text) > TOKEN_CHARACTERS_MAX:
            raise ValueError
        unfold = zlib.decompressobj()
        data = unfold.decompress(decode_base64url(text), UNFOLDED_BYTES_MAX)
        if not unfold.eof or unfold.unused_data:
            raise ValueError
        token = msgspec.json.decode(data, type=Token)
    except (ValueError, TextError, binascii.Error, zlib.error, msgspec.MsgspecError) as error:
        raise _refuse_token() from error
    if token.of != of or not 0 < token.per_page <= PER_PAGE_MAX or not token.after:
        raise _refuse_token()
    if any(isinstance(part, int) and abs(part) >= 2**63 for part in token.after):
        raise _refuse_token()
    return token


def _refuse_token() -> Any:
    return refuse(
        400,
        "next_page_token",
        "The nextPageToken is not one of this list.",
        exception="QueryParameterException",
        remedy="Follow the Link header of the page before, or begin anew without the token.",
    )


def read_paging(asking: Asking, of: str) -> tuple[Token | None, int, tuple[tuple[str, str], ...]]:
    """The token if there is one, entries of a page, and the parameters of the list itself.

    Raises Trouble. A token stands under its own name, or as a client writes it that takes the
    link's whole path for a name.
    """
    given: dict[str, str] = {}
    query: list[tuple[str, str]] = []
    for name, value in asking.query:
        short = NEXT if name.endswith(NEXT) and name.startswith(asking.base) else name
        if short in _PAGING:
            if short in given:
                raise refuse(400, "parameter_twice", f"{short} is given twice.")
            given[short] = value
        else:
            query.append((name, value))
    token = read_token(given[NEXT], of) if NEXT in given else None
    size = token.per_page if token is not None else PER_PAGE
    if "perPage" in given:
        size = _read_size(given["perPage"])
    return token, size, token.query if token is not None else tuple(query)


def _read_size(text: str) -> int:
    """Entries of a page; more than the most is the most, as EPCIS has it."""
    if not (text.isascii() and text.isdecimal() and 0 < len(text) <= 9 and int(text)):
        raise refuse(400, "per_page", "perPage is a number from 1.")
    return min(int(text), PER_PAGE_MAX)


def build_link(asking: Asking, token: Token | None) -> tuple[tuple[str, str], ...]:
    """The Link header to the next page; none at the end."""
    if token is None:
        return ()
    return (("Link", f'<{asking.path}?{NEXT}={encode_token(token)}>; rel="next"'),)
