"""Properties of schemas after every block: K1 to K3. Pure reads."""

from hansa.contracts.schemas.handlers import parse_version
from hansa.contracts.schemas.model import VERSIONS_MAX, Schema, SchemaLine
from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import decode_canonical
from hansa.identity.schema_changes import find_incompatible
from hansa.ledger.context import GOVERNANCE
from hansa.ledger.contracts import Invariant
from hansa.ledger.state import Reader, get_record, scan_records
from hansa.primitives.limits import RECORD_BYTES_MAX

NAME = "schemas"
ALL = 1_000_000


def find_wrong_ids(reader: Reader) -> list[str]:
    """K1."""
    return [
        f"schema {schema.id} is not the digest of its document"
        for schema in scan_records(reader, NAME, Schema, limit=ALL)
        if sha256(schema.document.encode()).hex() != schema.id
    ]


def find_wrong_owners(reader: Reader) -> list[str]:
    """K2: each schema is one version of its name's line, and its owner's."""
    found = []
    lines = {line.name: line for line in scan_records(reader, NAME, SchemaLine, limit=ALL)}
    listed = {
        each.schema: (line, each.version) for line in lines.values() for each in line.versions
    }
    for schema in scan_records(reader, NAME, Schema, limit=ALL):
        line, version = listed.pop(schema.id, (None, ""))
        if line is None or (line.name, version) != (schema.name, schema.version):
            found.append(f"schema {schema.id} is not in the line {schema.name}")
        elif line.owner != schema.owner or schema.is_standard != (line.owner == GOVERNANCE):
            found.append(f"schema {schema.id} is not {line.owner}'s")
    found.extend(f"{schema} is listed but not there" for schema in listed)
    return found


def find_wrong_versions(reader: Reader) -> list[str]:
    """K3: versions rise, and within a major what was accepted is."""
    found = []
    for line in scan_records(reader, NAME, SchemaLine, limit=ALL):
        newest: dict[int, tuple[tuple[int, int, int], str]] = {}
        if not 0 < len(line.versions) <= VERSIONS_MAX:
            found.append(f"{line.name} has {len(line.versions)} versions")
        for each in line.versions:
            version = parse_version(each.version)
            before = newest.get(version[0])
            if before is not None and version <= before[0]:
                found.append(f"{line.name} {each.version} does not rise")
            if before is None and newest and version[0] < max(newest):
                found.append(f"{line.name} {each.version} is a new major below another")
            if before is not None and _is_broken(reader, before[1], each.schema):
                found.append(f"{line.name} {each.version} takes away what was accepted")
            newest[version[0]] = (version, each.schema)
    return found


def _is_broken(reader: Reader, old: str, new: str) -> bool:
    documents = []
    for schema in (old, new):
        record = get_record(reader, NAME, Schema, schema)
        text = record.document if record is not None else "{}"
        documents.append(decode_canonical(text.encode(), size_max=RECORD_BYTES_MAX))
    before, after = documents
    if not isinstance(before, dict) or not isinstance(after, dict):
        return True
    return bool(find_incompatible(before, after))


INVARIANTS = (
    Invariant("K1", "ids are digests of documents", find_wrong_ids),
    Invariant("K2", "names belong to one owner", find_wrong_owners),
    Invariant("K3", "versions rise and stay compatible", find_wrong_versions),
)
