"""Key requests: what a new key's owner gives to who enters it, and the form that they fill.

Made by `hansa keys request` (a message's body, or with --admit the actions of a proposal) and by
the console's key maker (a body with its application, message and chain). Pure.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hansa.console.forms.entry import Lookup, join, type_body
from hansa.console.forms.shape import Shape
from hansa.crypto.signatures import PublicKey
from hansa.encoding.json_faults import NOT_JSON
from hansa.identity.did import compute_did

# What every such request has: the new key's own signature.
PROOF: Final = "possession"
_CHARACTERS_MAX: Final = 50_000
_ACTIONS: Final = "actions"


class NoRequest(Exception):
    """Not a request for this form. sentence: why, one of SENTENCES; params: its places."""

    def __init__(self, code: str, **params: str) -> None:
        self.sentence = SENTENCES[code]
        self.params = params
        super().__init__(code)


SENTENCES: Final = {
    "no_request": "This is not a key request. hansa keys request prints one.",
    "admission": "This request asks the league to admit a member: it belongs into a proposal.",
    "account": "This request is for an account of a member: it does not belong into a proposal.",
    "chain": "This request is for the ledger {chain}.",
}


def takes_request(shape: Shape) -> bool:
    """Whether a message's form can be filled from a key request."""
    return shape.field(PROOF) is not None or _is_proposal(shape)


def read_request(
    text: str, shape: Shape, *, chain: str, decimal: str, lookup: Lookup
) -> dict[str, str]:
    """What the request gives to the form of `shape`, as typed. Raises NoRequest."""
    found = _decode(text)
    if isinstance(found, dict) and isinstance(found.get("body"), dict):
        if found.get("chain", chain) != chain:
            raise NoRequest("chain", chain=str(found["chain"])[:64])
        found = found["body"]
    try:
        if _is_proposal(shape):
            return _type_actions(found, decimal, lookup)
        if isinstance(found, list) and any(map(_has_proof, found)):
            raise NoRequest("admission")
        if not isinstance(found, dict) or not isinstance(found.get(PROOF), str):
            raise NoRequest("no_request")
        return type_body(shape, found, decimal=decimal)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise NoRequest("no_request") from error


def find_account(typed: Mapping[str, str]) -> str:
    """DID of the account that the key of a form opens, "" when there is no key in it."""
    for path, text in typed.items():
        if path == "key.public" or path.endswith(".key.public"):
            alg = typed.get(path.removesuffix("public") + "alg", "")
            try:
                return compute_did(msgspec.convert({"alg": alg, "public": text}, PublicKey))
            except ValueError:
                return ""
    return ""


def _is_proposal(shape: Shape) -> bool:
    found = shape.field(_ACTIONS)
    return found is not None and found.kind == "list"


def _decode(text: str) -> Any:
    if len(text) > _CHARACTERS_MAX:
        raise NoRequest("no_request")
    try:
        return msgspec.json.decode(text)
    except NOT_JSON as error:
        raise NoRequest("no_request") from error


def _type_actions(found: Any, decimal: str, lookup: Lookup) -> dict[str, str]:
    """Actions of a proposal, each by the form of its own message. Raises NoRequest."""
    if isinstance(found, dict):
        raise NoRequest("account" if PROOF in found else "no_request")
    if not isinstance(found, list) or not any(_has_proof(each) for each in found):
        raise NoRequest("no_request")
    typed = {f"{_ACTIONS}.__n": str(len(found))}
    for index, action in enumerate(found):
        path = f"{_ACTIONS}.{index}"
        application, name = str(action["application"]), str(action["type"])
        inner = lookup(application, name)
        if inner is None:
            raise NoRequest("no_request")
        typed |= {f"{path}.application": application, f"{path}.type": name}
        body = type_body(inner, action["body"], decimal=decimal)
        typed |= {join(f"{path}.body", field): each for field, each in body.items()}
    return typed


def _has_proof(action: Any) -> bool:
    return isinstance(action, dict) and PROOF in (action.get("body") or ())
