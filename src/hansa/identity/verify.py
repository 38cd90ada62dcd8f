"""`verify`: the one judgement of credentials and presentations, whatever their form. Pure.

Reads bytes from outside; asks its sources and nothing else. Forms: W3C VC 2.0 and presentations
with Data Integrity proofs (JSON), SD-JWT VC with and without key binding (compact, `~`).
"""

from hansa.identity.report import Policy, Report, Sources


def verify(
    document: bytes,
    *,
    sources: Sources,
    policy: Policy,
    at_ms: int,
    now_ms: int | None = None,
) -> Report:
    """Judge a credential or presentation as at `at_ms`, by named checks. Raises nothing.

    now_ms: the verifier's own clock, for what a holder has just signed (None: at_ms).
    """
    raise NotImplementedError
