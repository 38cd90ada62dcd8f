"""A clerk's requests at the doors for wallets: offers, decisions, requests. Asks the gateway."""

from typing import Any
from urllib.parse import quote

import msgspec

from hansa.client.gateway import Gateway

_OFFERS = "/v1/openid/offers"
_REQUESTS = "/v1/openid/requests"
_DECISIONS = "/v1/openid/decisions"


class WalletDesk(Gateway):
    """A gateway, asked as a clerk of the member whose key issues and asks there."""

    def offer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Offer a credential: `id`, `uri`, `tx_code`, `ends_ms`. Raises Refused."""
        return self._post(_OFFERS, asked)

    def see_offer(self, id_: str) -> dict[str, Any]:
        """What became of an offer. Raises Refused."""
        return dict(self._ask("GET", f"{_OFFERS}/{quote(id_, safe='')}"))

    def decide(self, *, pairing: str, offer: str, is_approved: bool) -> dict[str, Any]:
        """Approve or refuse a wallet by its pairing code, or an offer by its id. Raises Refused."""
        return self._post(
            _DECISIONS, {"pairing": pairing, "offer": offer, "is_approved": is_approved}
        )

    def request(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Ask a wallet for presentations: `id`, `uri`, `ends_ms`. Raises Refused."""
        return self._post(_REQUESTS, asked)

    def see_request(self, id_: str) -> dict[str, Any]:
        """What a wallet answered. Raises Refused."""
        return dict(self._ask("GET", f"{_REQUESTS}/{quote(id_, safe='')}"))

    def _post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        body = msgspec.json.encode(document)
        return dict(self._ask("POST", path, content=body, media="application/json"))
