"""The ledger's present state as sources of `identity.verify`. Reads committed state."""

from hansa.api.gate import Gate
from hansa.client.facts import build_sources
from hansa.contracts.accreditations.model import Recognition
from hansa.identity.report import Sources
from hansa.ledger.model import is_key_part
from hansa.ledger.state import compute_range

_RECOGNITIONS_MAX = 500


def build_state_sources(gate: Gate, jurisdiction: str = "") -> Sources:
    """Sources over committed state; with what `jurisdiction` recognises, where one is named."""
    state = gate.ledger.state
    recognitions: list[bytes] = []
    if jurisdiction and is_key_part(jurisdiction):
        start, end = compute_range("accreditations", Recognition, (jurisdiction,))
        recognitions = [data for _key, data in state.scan(start, end, _RECOGNITIONS_MAX)]
    return build_sources(
        lambda key: state.get(key.encode("ascii")),
        height=state.height,
        known_ms=state.time_ms,
        recognitions=recognitions,
    )
