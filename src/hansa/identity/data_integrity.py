"""W3C Data Integrity proofs over RFC 8785: sets and chains, three cryptosuites. Pure.

Source: VC Data Integrity 1.0, Data Integrity EdDSA Cryptosuites 1.0 section 3.3 (eddsa-jcs-2022),
ECDSA Cryptosuites 1.0 section 3.3 (ecdsa-jcs-2019, P-256); sm2-jcs-2026 is ours (ADR 15).
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hansa.identity.resolved import Resolver

Sign = Callable[[bytes], bytes]


class ProofCheck(msgspec.Struct, frozen=True):
    """What one proof is worth: `code` is "" when it holds, else why not.

    `created_ms` is what the proof says (None: nothing); `is_key_live`: the key still counts at the
    time asked for; `is_judged` False: it could not be found out (unresolvable, unknown_suite).
    """

    suite: str
    method: str
    code: str
    text: str = ""
    id: str = ""
    created_ms: int | None = None
    is_key_live: bool = False
    is_judged: bool = True


def add_proof(
    document: dict[str, Any],
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
) -> dict[str, Any]:
    """New document with one more proof; `previous`: ids of proofs that it endorses (a chain)."""
    raise NotImplementedError


def check_proofs(
    document: dict[str, Any],
    resolve: Resolver,
    *,
    purpose: str,
    at_ms: int,
    challenge: str = "",
    domain: str = "",
) -> tuple[ProofCheck, ...]:
    """One check for each proof of the document; one of code missing_proof when there is none."""
    raise NotImplementedError
