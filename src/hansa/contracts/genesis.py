"""How system contracts read their parts of the genesis document. Pure; used once in a chain."""

from typing import Any, TypeVar

import msgspec

from hansa.ledger.rejections import Rejection

T = TypeVar("T")


class WrongGenesis(Rejection):
    """A part of the genesis document that its contract refuses."""

    CODE = "wrong_genesis"
    RULE = "D7"
    TEXT = "The part {part} of the genesis document does not hold: {problem}."
    REMEDY = "Mend the document; every member checks the same bytes before the chain starts."


def decode_part(part: str, document: dict[str, Any], type_: type[T]) -> T:
    """The typed part of a contract. Raises WrongGenesis."""
    try:
        return msgspec.convert(document, type_)
    except msgspec.ValidationError as error:
        raise WrongGenesis(part=part, problem=str(error)) from error
