"""Doors of what credentials refer to: status lists, queries, schemas, types, consent records."""

import json
from typing import Any

from hansa.crypto.keys import PrivateKey
from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical
from hansa.identity.bitstring_status import (
    BitstringEntry,
    build_bitstring_credential,
    encode_bitstring,
    read_bitstring_entry,
    read_bitstring_list,
)
from hansa.identity.consent_record import (
    WrongConsentRecord,
    build_record,
    decode_record,
    encode_record,
)
from hansa.identity.dcql import SD_JWT_FORMAT, Candidate, match_query, read_query
from hansa.identity.dcql_answer import choose_answer
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.json_schema import InvalidSchema, find_incompatible
from hansa.identity.json_validation import CompiledSchema
from hansa.identity.jws import find_signature_fault
from hansa.identity.token_status import (
    encode_token_list,
    parse_status_token,
    read_token_list,
    sign_status_token,
)
from hansa.identity.type_metadata import build_type_metadata, read_type_metadata
from tests.fuzz.door import Door, build_judge
from tests.fuzz.mutate import change_json, change_jws
from tests.identity.test_consent_record import TERMS
from tests.identity.test_dcql import IDENTITY, PERSON, VECTORS
from tests.identity.test_json_schema import LICENCE
from tests.identity.test_sd_jwt_vc import TYPE, VCT
from tests.identity.test_status_lists import URI

KEY = PrivateKey.from_seed("EdDSA", b"\x07" * 32)
SIZE = 2**17
METHOD = "did:hansa:" + "a" * 32 + "#k1"


def open_bitstrings() -> Door:
    """Bitstring status list credentials: bounded, and every entry has an answer or a refusal."""
    seeds = []
    for bits in (1, 2):
        made = build_bitstring_credential(
            URI,
            issuer=METHOD.partition("#")[0],
            purposes=["revocation"],
            encoded=encode_bitstring(SIZE, {7: 1}, bits=bits),
            valid_from="2026-01-01T00:00:00Z",
        )
        seeds.append(json.dumps(made).encode())
    entry = BitstringEntry(URI, 7, "revocation")

    def read(data: bytes) -> object:
        document = parse_document(data)
        if "statusListIndex" in document:
            return read_bitstring_entry(document)
        return read_bitstring_list(document, uri=URI).get(entry)

    return Door(
        run=read,
        allowed=(Malformed,),
        seeds=tuple(seeds),
        never=lambda _data, value: not isinstance(value, BitstringEntry) and not 0 <= value < 4,
        shape=change_json,
    )


def open_status_tokens() -> Door:
    """Token status lists: only what the issuer's key signed."""
    seeds = [
        sign_status_token(
            encode_token_list(64, {3: 1}, bits=bits),
            uri=URI,
            method=METHOD,
            alg="EdDSA",
            sign=KEY.sign,
            issued_s=1_780_000_000,
        ).encode()
        for bits in (1, 2, 8)
    ]

    def judge(data: bytes) -> object:
        token = parse_status_token(data.decode(), uri=URI)
        if find_signature_fault(token.jws, KEY.public):
            return None
        return read_token_list(json.loads(token.jws.payload)["status_list"]), token.kid

    return build_judge(judge, (Malformed, UnicodeError), seeds, change_jws)


def open_dcql() -> Door:
    """Queries of verifiers, asked of what a wallet holds: what is chosen was held."""
    held = [
        Candidate(format=SD_JWT_FORMAT, types=(IDENTITY,), claims=PERSON),
        Candidate(format="ldp_vc", types=("VerifiableCredential",), claims={"a": [{"b": 1}]}),
    ]

    def answer(data: bytes) -> object:
        query = read_query(parse_document(data))
        matched = match_query(query, held)
        return query, matched, choose_answer(query, matched)

    def chose_nothing_held(_data: bytes, found: Any) -> bool:
        return any(not 0 <= each.candidate < len(held) for each in found[2].values())

    return Door(
        run=answer,
        allowed=(Malformed,),
        seeds=tuple(json.dumps(query).encode() for query in VECTORS.values()),
        never=chose_nothing_held,
        shape=change_json,
    )


def open_schemas() -> Door:
    """JSON Schemas: what the profile takes compiles, judges, and is compatible with itself."""
    instances: tuple[object, ...] = (
        *(None, 1, 1.5, "a" * 300, [], {}, {"number": "AB-1", "kind": "food"}),
        *([[[1]]], {"number": 1, "owners": ["a"] * 9, "capital": 10**15}),
    )

    def read(data: bytes) -> object:
        document = decode_canonical(data, size_max=100_000)
        if not isinstance(document, dict):
            return None
        schema = CompiledSchema(document)
        faults = [schema.find_faults(instance) for instance in instances]
        return find_incompatible(document, document), faults

    return Door(
        run=read,
        allowed=(CanonicalError, InvalidSchema),
        seeds=(encode_canonical(LICENCE), encode_canonical({"$schema": LICENCE["$schema"]})),
        never=lambda _data, found: found[0] != [],
        shape=change_json,
    )


def open_type_metadata() -> Door:
    """SD-JWT VC type metadata: what is read is written and read again."""

    def is_lost(_data: bytes, found: Any) -> bool:
        written = json.dumps(build_type_metadata(found)).encode()
        return bool(read_type_metadata(written, vct=VCT) != found)

    return Door(
        run=lambda data: read_type_metadata(data, vct=VCT),
        allowed=(Malformed,),
        seeds=(json.dumps(build_type_metadata(TYPE)).encode(),),
        never=is_lost,
        shape=change_json,
    )


def open_consent_records() -> Door:
    """Consent records (ISO/IEC TS 27560): one canonical form."""
    return Door(
        run=decode_record,
        allowed=(WrongConsentRecord,),
        seeds=(encode_record(build_record(TERMS)),),
        never=lambda data, record: encode_record(record) != data,
        shape=change_json,
    )
