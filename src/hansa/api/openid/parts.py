"""The doors for wallets as the gateway holds them: drawer, nonces, their address. Built once."""

from collections.abc import Callable
from typing import Any

from litestar import Request

from hansa.api.notebook import Notebooks
from hansa.api.openid.drawer import Drawer
from hansa.api.openid.nonces import Nonces


class OpenIdParts:
    """What the doors for wallets of one gateway share."""

    def __init__(self, notebooks: Notebooks, clock: Callable[[], int], public: str) -> None:
        """`public`: the address under which the world knows this gateway, "" for the asked one."""
        self.drawer = Drawer(notebooks.of("openid"), clock)
        self.nonces = Nonces(clock)
        self._public = public.rstrip("/")

    def find_address(self, request: Request[Any, Any, Any]) -> str:
        """Address of this gateway, which is the issuer's identifier too."""
        return self._public or str(request.base_url).rstrip("/")
