"""W3C Data Integrity proofs over RFC 8785: sets and chains, three cryptosuites. Pure.

Source: VC Data Integrity 1.0, Data Integrity EdDSA Cryptosuites 1.0 section 3.3 (eddsa-jcs-2022),
ECDSA Cryptosuites 1.0 section 3.3 (ecdsa-jcs-2019, P-256); sm2-jcs-2026 is ours (ADR 15).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.crypto.hashing import sha256
from hansa.crypto.signatures import SUITES, InvalidKey, PublicKey
from hansa.crypto.sm import sm3
from hansa.identity.faults import Malformed
from hansa.identity.json_canonical import canonicalize
from hansa.identity.moments import InvalidMoment, parse_moment
from hansa.identity.multikey import decode_base58, encode_base58
from hansa.identity.resolved import Method, Resolved, Resolver, Unresolvable

Sign = Callable[[bytes], bytes]
Document = dict[str, Any]

PROOF_TYPE: Final = "DataIntegrityProof"
# An act of two organisations is usual; each proof costs a signature.
PROOFS_MAX: Final = 16
_NOT_JUDGED: Final = frozenset({"unknown_proof_type", "unknown_suite", "unresolvable"})
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Cryptosuite(msgspec.Struct, frozen=True):
    """A suite: its name, the alg of its keys, the hash of document and options."""

    name: str
    alg: str
    hash: Callable[[bytes], bytes]


CRYPTOSUITES: Final[Mapping[str, Cryptosuite]] = {
    "eddsa-jcs-2022": Cryptosuite("eddsa-jcs-2022", "EdDSA", sha256),
    "ecdsa-jcs-2019": Cryptosuite("ecdsa-jcs-2019", "ES256", sha256),
    "sm2-jcs-2026": Cryptosuite("sm2-jcs-2026", "SM2", sm3),
}


class ProofCheck(msgspec.Struct, frozen=True):
    """What one proof is worth: `code` is "" when it holds, else why not.

    `created_ms` is what the proof says (None: nothing); `is_key_live`: the key still counts at the
    time asked for; `is_judged` False: it could not be found out (unresolvable, unknown_suite,
    unknown_proof_type).
    """

    suite: str
    method: str
    code: str
    text: str = ""
    id: str = ""
    created_ms: int | None = None
    is_key_live: bool = False
    is_judged: bool = True


class _Asked(msgspec.Struct, frozen=True):
    purpose: str
    at_ms: int
    challenge: str
    domain: str


def find_suite(key: PublicKey) -> str:
    """Name of the suite that keys of this kind sign with. Raises Malformed (unknown_suite)."""
    for suite in CRYPTOSUITES.values():
        if suite.alg == key.alg:
            return suite.name
    raise Malformed("unknown_suite", f"no cryptosuite for {key.alg}")


def add_proof(
    document: Document,
    *,
    private_key_sign: Sign,
    suite: str,
    method: str,
    purpose: str,
    created: str,
    previous: Sequence[str] = (),
    domain: str = "",
    challenge: str = "",
    expires: str = "",
    proof_id: str = "",
) -> Document:
    """New document with one more proof; `previous`: ids of proofs that it endorses (a chain).

    Times as `2026-11-22T08:00:00Z`. Raises Malformed: unknown suite, no such previous proof, or no
    canonical form.
    """
    config: Document = {
        "type": PROOF_TYPE,
        "cryptosuite": suite,
        "created": created,
        "verificationMethod": method,
        "proofPurpose": purpose,
    }
    more = {"id": proof_id, "domain": domain, "challenge": challenge, "expires": expires}
    config.update({name: value for name, value in more.items() if value})
    if previous:
        config["previousProof"] = previous[0] if len(previous) == 1 else list(previous)
    if "@context" in document:
        config["@context"] = document["@context"]
    proofs = list_proofs(document)
    if len(proofs) >= PROOFS_MAX:
        raise Malformed("too_many_proofs", f"more than {PROOFS_MAX} proofs")
    data = _hash(_find_cryptosuite(suite), config, _compute_unsecured(document, config, proofs))
    proof = {**config, "proofValue": encode_base58(private_key_sign(data))}
    return {**document, "proof": [*proofs, proof] if proofs else proof}


def check_proofs(
    document: Document,
    resolve: Resolver,
    *,
    purpose: str,
    at_ms: int,
    challenge: str = "",
    domain: str = "",
) -> tuple[ProofCheck, ...]:
    """One check for each proof of the document; one of code missing_proof when there is none.

    A key must have counted when the proof says it was created (else at `at_ms`); for
    `authentication` at `at_ms` too, for who answers a challenge does it now.
    """
    try:
        proofs = list_proofs(document)
        if not proofs:
            raise Malformed("missing_proof", "the document has no proof")
        if len(proofs) > PROOFS_MAX:
            raise Malformed("too_many_proofs", f"more than {PROOFS_MAX} proofs")
        _check_ids(proofs)
    except Malformed as error:
        return (ProofCheck("", "", error.code, error.text),)
    asked = _Asked(purpose, at_ms, challenge, domain)
    return tuple(_check_proof(document, proof, proofs, resolve, asked) for proof in proofs)


def list_proofs(document: Document) -> list[Document]:
    """The proofs of a document. Raises Malformed (malformed_proof)."""
    found = document.get("proof", [])
    proofs = found if isinstance(found, list) else [found]
    if not all(isinstance(proof, dict) for proof in proofs):
        raise Malformed("malformed_proof", "a proof is an object")
    return proofs


def _check_ids(proofs: list[Document]) -> None:
    ids = [proof["id"] for proof in proofs if "id" in proof]
    if not all(isinstance(each, str) and each for each in ids):
        raise Malformed("malformed_proof", "the id of a proof is a text")
    if len(set(ids)) != len(ids):
        raise Malformed("duplicate_proof_id", "two proofs have one id")


def _check_proof(
    document: Document, proof: Document, proofs: list[Document], resolve: Resolver, asked: _Asked
) -> ProofCheck:
    suite, method = _text(proof, "cryptosuite"), _text(proof, "verificationMethod")
    created_ms: int | None = None
    is_key_live = False
    code = text = ""
    try:
        cryptosuite = _find_kind(proof)
        created_ms = _read_moment(proof, "created")
        _check_asked(proof, created_ms, asked)
        _check_context(document, proof)
        signature = _read_signature(proof)
        config = {name: value for name, value in proof.items() if name != "proofValue"}
        unsecured = _compute_unsecured(document, config, proofs)
        moment_ms = asked.at_ms if created_ms is None else created_ms
        found, is_key_live = _find_key(resolve, method, moment_ms, asked)
        if found.key.alg != cryptosuite.alg:
            raise Malformed("mixed_suite", f"the key is of {found.key.alg}, the suite {suite}")
        if not _holds(cryptosuite, found.key, _hash(cryptosuite, config, unsecured), signature):
            raise Malformed("bad_signature", "the signature does not hold")
    except Malformed as error:
        code, text = error.code, error.text
    except Unresolvable as error:
        code, text = "unresolvable", str(error)
    is_judged = code not in _NOT_JUDGED
    proof_id = _text(proof, "id")
    return ProofCheck(suite, method, code, text, proof_id, created_ms, is_key_live, is_judged)


def _text(proof: Document, name: str) -> str:
    value = proof.get(name)
    return value if isinstance(value, str) else ""


def _find_kind(proof: Document) -> Cryptosuite:
    if proof.get("type") != PROOF_TYPE:
        raise Malformed("unknown_proof_type", "not a DataIntegrityProof")
    return _find_cryptosuite(_text(proof, "cryptosuite"))


def _find_cryptosuite(name: str) -> Cryptosuite:
    suite = CRYPTOSUITES.get(name)
    if suite is None:
        raise Malformed("unknown_suite", "a cryptosuite that is not known here")
    return suite


def _read_moment(proof: Document, name: str) -> int | None:
    if name not in proof:
        return None
    try:
        return parse_moment(_text(proof, name))
    except InvalidMoment as error:
        raise Malformed("malformed_time", f"{name}: {error}") from error


def _check_asked(proof: Document, created_ms: int | None, asked: _Asked) -> None:
    """Purpose, times, challenge and domain are those that were asked for."""
    if proof.get("proofPurpose") != asked.purpose:
        raise Malformed("wrong_purpose", f"the proof is not for {asked.purpose}")
    if created_ms is not None and created_ms > asked.at_ms:
        raise Malformed("proof_not_yet_created", "the proof says that it is made later")
    expires_ms = _read_moment(proof, "expires")
    if expires_ms is not None and expires_ms <= asked.at_ms:
        raise Malformed("expired_proof", "the proof has expired")
    if asked.challenge and proof.get("challenge") != asked.challenge:
        raise Malformed("wrong_challenge", "the proof answers another challenge, or none")
    if asked.domain:
        domain = proof.get("domain")
        if asked.domain not in (domain if isinstance(domain, list) else [domain]):
            raise Malformed("wrong_domain", "the proof is for another domain, or for none")


def _check_context(document: Document, proof: Document) -> None:
    """The contexts are those signed. W3C allows further ones at the end: they change what terms
    mean and nobody signed them, so they are refused here.
    """
    if "@context" in proof and proof["@context"] != document.get("@context"):
        raise Malformed("context_mismatch", "the contexts are not those that were signed")


def _read_signature(proof: Document) -> bytes:
    signature = decode_base58(_text(proof, "proofValue"))
    if len(signature) != 64:
        raise Malformed("wrong_encoding", "a signature has 64 bytes")
    return signature


def _compute_unsecured(document: Document, config: Document, proofs: list[Document]) -> Document:
    """What is signed beside the options: the document, with the proofs that this one endorses.

    The endorsed proofs stand in the order in which previousProof names them.
    """
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    previous = config.get("previousProof")
    if previous is None:
        return unsecured
    names = previous if isinstance(previous, list) else [previous]
    if not names or not all(isinstance(name, str) for name in names):
        raise Malformed("broken_chain", "previousProof is an id or a list of ids")
    known = {proof["id"]: proof for proof in proofs if "id" in proof}
    if len(set(names)) != len(names) or not known.keys() >= set(names):
        raise Malformed("broken_chain", "a previous proof is missing, or named twice")
    if config.get("id") in names:
        raise Malformed("broken_chain", "a proof does not endorse itself")
    unsecured["proof"] = [known[name] for name in names]
    return unsecured


def _hash(suite: Cryptosuite, config: Document, unsecured: Document) -> bytes:
    return suite.hash(canonicalize(config)) + suite.hash(canonicalize(unsecured))


def _find_key(resolve: Resolver, method: str, moment_ms: int, asked: _Asked) -> tuple[Method, bool]:
    """Key of a DID URL that counted at a time, for a purpose; whether it still counts."""
    did, mark, _ = method.partition("#")
    if not (did.startswith("did:") and mark):
        raise Malformed("malformed_proof", "verificationMethod is not a DID URL of a key")
    try:
        resolved = resolve(did)
    except InvalidKey as error:
        raise Malformed("unknown_did", str(error)) from error
    if resolved is None or resolved.did != did:
        raise Malformed("unknown_did", "there is no such DID")
    found = resolved.find_method_at(method, moment_ms)
    if found is None:
        raise Malformed("unknown_method", "the DID has no such key")
    if asked.purpose not in found.relationships:
        raise Malformed("method_not_authorized", f"the key is not for {asked.purpose}")
    is_live = _is_live(resolved, found, asked.at_ms)
    counts = is_live if asked.purpose == "authentication" else True
    if not (counts and _is_live(resolved, found, moment_ms)):
        raise Malformed("key_not_live", "the key did not count at that time")
    return found, is_live


def _is_live(resolved: Resolved, method: Method, at_ms: int) -> bool:
    ended_ms = resolved.deactivated_ms
    return method.is_live(at_ms) and (ended_ms is None or at_ms < ended_ms)


def _holds(suite: Cryptosuite, key: PublicKey, data: bytes, signature: bytes) -> bool:
    if suite.alg == "ES256":  # others do not ask for low s (FIPS 186-5); our suite does
        s = int.from_bytes(signature[32:], "big")
        low = min(s, _P256_ORDER - s) if s < _P256_ORDER else s
        signature = signature[:32] + low.to_bytes(32, "big")
    return SUITES[suite.alg].verify(key.raw, data, signature)
