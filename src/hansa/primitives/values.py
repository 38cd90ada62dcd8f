"""Named value types of messages and records, with their bounds. JSON Schemas show the descriptions.

Patterns are paired with exact lengths, because `$` alone would let a trailing newline through.
"""

from typing import Annotated

from msgspec import Meta

from hansa.primitives.limits import INTEGER_MAX, KEY_PART_MAX, TEXT_MAX

Did = Annotated[
    str,
    Meta(
        pattern=r"^did:hansa:[a-z2-7]{32}$",
        min_length=42,
        max_length=42,
        description="DID of a member or an account",
    ),
]
Digest = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{43}$",
        min_length=43,
        max_length=43,
        description="32 bytes in base64url",
    ),
]
HexAddress = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{40}$",
        min_length=40,
        max_length=40,
        description="20 bytes in lower-case hex: address of a validator or id of a node",
    ),
]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._:~#+-]+$(?!\n)",
        min_length=1,
        max_length=KEY_PART_MAX,
        description="identifier: A-Z a-z 0-9 . _ : ~ # + -",
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX, description="a short text")]
Currency = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}$", min_length=3, max_length=3, description="ISO 4217 code")
]
Jurisdiction = Annotated[
    str,
    Meta(pattern=r"^[A-Z]{2}$", min_length=2, max_length=2, description="ISO 3166-1 alpha-2 code"),
]
Amount = Annotated[
    int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX, description="in minor units of the currency")
]
Count = Annotated[int, Meta(ge=0, le=INTEGER_MAX, description="a count, 0 or more")]
TimeMs = Annotated[
    int, Meta(ge=0, le=10**14, description="milliseconds since 1970-01-01 UTC, block time")
]
Height = Annotated[int, Meta(ge=0, le=10**11, description="block height")]
