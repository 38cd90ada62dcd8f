"""What can go wrong for a client: faults and refusals, each with a next step. Pure."""

from typing import ClassVar

from hansa.ledger.rejections import Param


class ClientError(Exception):
    """A fault: a file, a folder or the network failed. `remedy` says what to do next."""

    CODE: ClassVar[str] = "client.fault"

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


class Unreachable(ClientError):
    """No answer: what was asked may or may not have happened. Asking again is safe."""

    CODE = "client.unreachable"


class Refused(Exception):
    """The node said no: stable code, the rule it holds, what to do next (RFC 9457 problem details).

    `status` is the HTTP status, 0 when the refusal comes from a receipt.
    """

    def __init__(
        self,
        code: str,
        text: str,
        *,
        rule: str = "",
        remedy: str = "",
        status: int = 0,
        params: dict[str, Param] | None = None,
    ) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.rule = rule
        self.remedy = remedy
        self.status = status
        self.params = params or {}
