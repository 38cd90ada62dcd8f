"""Which gateway of a league answers: asked one after the other, and none of another league."""

from collections.abc import Iterable
from typing import Final

from hansa.client.faults import ClientError, Refused
from hansa.client.gateway import Gateway
from hansa.client.health import ask_health

TIMEOUT_S: Final = 5.0
_NAMED_MAX: Final = 4


class NoContactError(ClientError):
    """No gateway of the league answers."""

    CODE = "cli.no_contact"


def find_gateway(urls: Iterable[str], digest: str, cure: str) -> str:
    """The first gateway that answers for the league whose genesis has this digest (hex).

    Raises NoContactError, which tells silence from gateways of another league.
    """
    silent, failing, foreign = [], [], []
    for url in dict.fromkeys(urls):
        try:
            health = ask_health(url, timeout_s=TIMEOUT_S)
            with Gateway(url, timeout_s=TIMEOUT_S) as gateway:
                league = gateway.league()
        except (ClientError, Refused):
            silent.append(url)
            continue
        if league.genesis != digest:
            foreign.append(f"{url} ({league.chain})")
        elif health.is_failing:
            failing.append(url)
        else:
            return url
    groups = (("no answer", silent), ("stopped", failing), ("of another league", foreign))
    said = "; ".join(f"{word}: {_name(found)}" for word, found in groups if found)
    raise NoContactError(f"no gateway of the league can be asked ({said or 'none is known'})", cure)


def _name(urls: list[str]) -> str:
    more = len(urls) - _NAMED_MAX
    return ", ".join(urls[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
