"""How a gateway says that its node fares. Touches the network only; asks once, without waiting."""

import msgspec

from hansa.client.faults import ClientError, Unreachable

TIMEOUT_S = 5.0
WELL, FAILING = 200, 503


class Health(msgspec.Struct, frozen=True):
    """`status`: ok, degraded (the read model alone), failing (the ledger has stopped)."""

    status: str
    ledger: str = "ok"
    index: str = "ok"
    index_behind: int = 0

    @property
    def is_failing(self) -> bool:
        """Whether nothing is taken any more."""
        return self.status == "failing"


def ask_health(url: str, *, timeout_s: float = TIMEOUT_S) -> Health:
    """The health of the node at `url`. Raises Unreachable, or ClientError for another answer."""
    import httpx

    try:
        answer = httpx.get(f"{url.rstrip('/')}/v1/health", timeout=timeout_s)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(
            f"no answer from {url} ({type(error).__name__})", "is it running (hansa start DIR)?"
        ) from error
    try:
        if answer.status_code in (WELL, FAILING):
            return msgspec.json.decode(answer.content, type=Health)
    except msgspec.DecodeError:
        pass
    raise ClientError(f"{url}/v1/health does not answer as a Hansa gateway does", "see the address")
