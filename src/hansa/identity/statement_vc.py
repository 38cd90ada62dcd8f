"""What a VC 2.0 with Data Integrity proofs states, in the words of `statement`. Pure."""

from collections.abc import Sequence
from typing import Any

from hansa.identity.data_integrity import ProofCheck
from hansa.identity.report import StatusRef
from hansa.identity.statement import Statement, list_accreditations, read_schema_id
from hansa.identity.vc import Credential


def read_statement(credential: Credential, proofs: Sequence[ProofCheck]) -> Statement:
    """The statement of a credential; only proofs that held are its signers'.

    Its claims are the subject (all subjects, as `subjects`, when there are several). termsOfUse
    names the accreditation; without a proof's own time the start of validity is its date.
    """
    held = [each for each in proofs if not each.code]
    own = [each for each in held if each.method.partition("#")[0] == credential.issuer]
    times = [each.created_ms for each in own if each.created_ms is not None]
    return Statement(
        form="vc",
        issuer=credential.issuer,
        signers=tuple(each.method.partition("#")[0] for each in held),
        suites=tuple(each.suite for each in proofs),
        types=credential.types,
        schemas=tuple(filter(None, (read_schema_id(each.id) for each in credential.schemas))),
        statuses=tuple(
            StatusRef(credential.issuer, "bitstring", each.list, each.index, each.purpose)
            for each in credential.statuses
        ),
        accreditations=list_accreditations(credential.document),
        valid_from_ms=credential.valid_from_ms,
        valid_until_ms=credential.valid_until_ms,
        issued_ms=max(times) if times else credential.valid_from_ms,
        claims=_read_claims(credential.document.get("credentialSubject")),
    )


def _read_claims(subject: Any) -> dict[str, Any]:
    if isinstance(subject, dict):
        return {name: value for name, value in subject.items() if name != "id"}
    return {"subjects": subject}
