"""Field types that the system contracts share, with the bounds that schemas show. Pure."""

from typing import Annotated

from msgspec import Meta

from hansa.primitives.limits import TEXT_MAX

# Why something was done: a code with words in `locales`, never free text (D8, D14).
Reason = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_.-]*$(?!\n)",
        max_length=64,
        description="reason code: a-z 0-9 _ . -",
    ),
]
# No control characters and no marks that reorder text: what is shown is what is stored.
OrganisationName = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x20\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
        r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$(?!\n)",
        max_length=TEXT_MAX,
        description="name of an organisation, in any script",
    ),
]
Address = Annotated[
    str,
    Meta(
        pattern=r"^https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$(?!\n)",
        max_length=200,
        description="https address of a public page of the organisation",
    ),
]
KeyId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]*$(?!\n)",
        max_length=32,
        description="name of a key within its account: a-z 0-9 _ -",
    ),
]
SignatureText = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{86}$(?!\n)",
        description="64 bytes of a signature in base64url",
    ),
]
DocumentDigest = Annotated[
    str,
    Meta(
        pattern=r"^([0-9a-f]{64})?$(?!\n)",
        description='SHA-256 of a document off chain in lower-case hex, or ""',
    ),
]
