"""What the offline verifier says of a bundle: its facts, then `identity.verify` over them. Pure."""

from typing import Any

from hansa.client.bundles import BundleFile, read_facts
from hansa.client.facts import RECOGNITIONS, build_sources
from hansa.client.verdict import FAILURES, Step, describe_failure, show
from hansa.identity.report import NOT_ASKED, Check, Policy, Report, Sources
from hansa.identity.resolved import Unresolvable
from hansa.identity.verify import verify

_OK = {"passed": True, "failed": False, "not_judged": None}


def judge_bundle(
    bundle: BundleFile, at_ms: int, policy: Policy | None
) -> tuple[list[Step], dict[str, Any] | None]:
    """Steps for facts and for each check that was asked for; what was proved, when it is a yes."""
    try:
        sources = build_bundle_sources(bundle)
    except FAILURES as failure:
        return [Step("facts", False, describe_failure(failure))], None
    absent = sum(bytes(fact.record) == b"null" for fact in bundle.facts)
    text = f"{len(bundle.facts)} fact(s) of the state after block {bundle.height}, {absent} absent"
    report = _judge(bundle, sources, at_ms, policy)
    return [Step("facts", True, text), *judge_report(report)], tell_report(report)


def judge_document(bundle: BundleFile, at_ms: int, policy: Policy | None) -> Report | None:
    """The checks of a bundle's document as at a time; None when its facts do not hold."""
    try:
        sources = build_bundle_sources(bundle)
    except FAILURES:
        return None
    return _judge(bundle, sources, at_ms, policy)


def judge_report(report: Report) -> tuple[Step, ...]:
    """Each check that was asked for, as a step."""
    return tuple(_tell(check) for check in report.checks if check.code != NOT_ASKED)


def _judge(bundle: BundleFile, sources: Sources, at_ms: int, policy: Policy | None) -> Report:
    return verify(
        bundle.document.encode("utf-8", "surrogatepass"),
        sources=sources,
        policy=policy or Policy(),
        at_ms=max(at_ms, 0),
    )


def build_bundle_sources(bundle: BundleFile) -> Sources:
    """The facts of a bundle as sources. Raises what `read_facts` raises."""
    facts = read_facts(bundle)

    def read(key: str) -> bytes | None:
        if key not in facts:
            raise Unresolvable(f"the bundle does not prove {key}")
        return facts[key]

    return build_sources(
        read,
        height=bundle.height,
        known_ms=bundle.known_ms,
        recognitions=[
            value for key, value in facts.items() if key.startswith(RECOGNITIONS) and value
        ],
        source="bundle",
    )


def tell_report(report: Report) -> dict[str, Any] | None:
    """What a yes has proved; None for any other outcome."""
    if report.outcome != "yes":
        return None
    return {
        "issuers": list(report.issuers),
        "holder": report.holder,
        "as_at_ms": report.as_at_ms,
        "claims": list(report.claims),
    }


def _tell(check: Check) -> Step:
    name = f"{check.about}: {check.name}" if check.about else check.name
    code = f"{check.code}: " if check.code else ""
    return Step(name.replace("_", " "), _OK[check.outcome], show(code + check.text))
