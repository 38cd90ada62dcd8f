"""Schemas and documents in files, judged as the ledger will before anything is sent."""

from pathlib import Path
from typing import Any, Final

from hansa.client.faults import ClientError
from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.json_schema import InvalidSchema, check_schema
from hansa.primitives.limits import MESSAGE_BYTES_MAX

DOCUMENT_BYTES_MAX: Final = 4_000_000


class WrongFile(ClientError):
    """A file that is no JSON document, or no schema of the league's profile."""

    CODE = "cli.wrong_schema"


def read_document(file: Path) -> Any:
    """A JSON document of a file, judged strictly. Raises WrongFile."""
    try:
        return parse_document(file.read_bytes(), size_max=DOCUMENT_BYTES_MAX)
    except Malformed as error:
        raise WrongFile(f"{file}: {error}", "give one JSON object") from error


def read_schema(file: Path) -> str:
    """The canonical text of a schema file, judged as the ledger will. Raises WrongFile."""
    document = read_document(file)
    try:
        check_schema(document)
        text = encode_canonical(document)
        decode_canonical(text, size_max=MESSAGE_BYTES_MAX)
    except InvalidSchema as error:
        raise WrongFile(
            f"{file}: {error}", "see the profile: no foreign references, no recursion"
        ) from error
    except CanonicalError as error:
        raise WrongFile(
            f"{file}: {error}", "whole numbers and ASCII names; write decimals as text"
        ) from error
    return text.decode()
