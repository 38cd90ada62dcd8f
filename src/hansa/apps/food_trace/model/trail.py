"""How an item's list of steps is provably complete: step digests, running hash. Pure."""

import msgspec

from hansa.apps.food_trace.model.records import Step
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url


def compute_step_digest(step: Step) -> bytes:
    """SHA-256 of the step as it was captured: what is withdrawn later changes nothing in it."""
    if step.withdrawn:
        step = msgspec.structs.replace(step, withdrawn="")
    return sha256(encode_canonical(step))


def compute_head(head: str, digest: bytes) -> str:
    """The head of an item after one more step: base64url SHA-256 over head ("" at first) and
    digest.

    Whoever has all steps of an item in the order of their numbers comes to its `head`; who lacks
    one, or has one too many, does not.
    """
    return encode_base64url(sha256(head.encode() + b"\n" + digest))
