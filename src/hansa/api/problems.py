"""Problem details (RFC 9457) for every refusal and fault: stable code, rule, next step.

Nothing of the request's body and no trace of the code ever stands in them.
"""

from typing import Any, Final

import msgspec

from hansa.appkit.route import Trouble
from hansa.ledger.rejections import Param, Rejection

MEDIA_TYPE: Final = "application/problem+json"
_TYPE = "urn:hansa:problem:"

# HTTP statuses of rejections; every other rejection is 422: understood, and refused by a rule.
STATUSES: Final[dict[str, int]] = {
    "ledger.malformed": 400,
    "ledger.impossible_key": 400,
    "ledger.unknown_signer": 403,
    "ledger.wrong_signature": 403,
    "ledger.not_in_good_standing": 403,
    "ledger.missing_role": 403,
    "ledger.internal_message": 403,
    "ledger.frozen": 409,
    "ledger.already_seen": 409,
    "ledger.held": 409,
    "ledger.no_such_record": 404,
    "ledger.quota_spent": 429,
    "node.no_such_transaction": 404,
    "node.no_such_message": 404,
}
# After so many seconds a spent quota's window is over (hansa.ledger.admission.WINDOW_MS_DEFAULT).
QUOTA_RETRY_S: Final = 60


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One refusal or fault. `instance` names the request in the gateway's log."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    rule: str
    remedy: str
    instance: str
    params: dict[str, Param] = {}


class Refusal(Trouble):
    """Raised by the gateway itself; becomes a Problem. `type_` and `title`: "" for the gateway's
    own, else those of a standard.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        remedy: str,
        rule: str = "D12",
        headers: dict[str, str] | None = None,
        params: dict[str, Param] | None = None,
        type_: str = "",
        title: str = "",
    ) -> None:
        super().__init__(
            status,
            code,
            detail,
            remedy=remedy,
            rule=rule,
            type=type_,
            title=title,
            headers=headers,
            params=params,
        )

    @property
    def detail(self) -> str:
        """What is refused, in words."""
        return self.text


def refuse_unseen() -> Refusal:
    """The one answer for what is not there and for what the asker may not see."""
    return Refusal(
        404,
        "api.not_found",
        "There is nothing here that you may see.",
        rule="D8",
        remedy="Check the address; what is not public is shown to its parties only.",
    )


def refuse_not_absent() -> Refusal:
    """To who may have an absence proved, of what is there: that alone, nothing of what it says."""
    return Refusal(
        404,
        "api.not_absent",
        "There is such a record; what it says is for others to read.",
        rule="D8",
        remedy="Its absence cannot be proved. Ask a party to it for what it says.",
    )


def refuse_stranger() -> Refusal:
    """The one answer to strangers for all that is not public, whether it is there or not."""
    return Refusal(
        401,
        "api.sign_in_first",
        "This is not public.",
        rule="D8",
        remedy="Open a session with a key of your account (POST /v1/sessions/challenge).",
        headers={"www-authenticate": "Bearer"},
    )


def refuse_parameter(name: str, detail: str) -> Refusal:
    """A parameter of the address that cannot be."""
    return Refusal(
        400,
        "api.invalid_parameter",
        f"{name}: {detail}",
        remedy="See /openapi.json for the parameters of this address.",
        params={"name": name[:64]},
    )


def refuse_busy(detail: str, retry_after_s: int = 1) -> Refusal:
    """More is asked at once than there is room for."""
    return _refuse_until(429, detail, retry_after_s)


def refuse_unready(detail: str, retry_after_s: int = 1) -> Refusal:
    """What it takes is not there now, however little is asked."""
    return _refuse_until(503, detail, retry_after_s)


def _refuse_until(status: int, detail: str, retry_after_s: int) -> Refusal:
    return Refusal(
        status,
        "api.busy",
        detail,
        rule="D19",
        remedy=f"Ask again in {retry_after_s} s.",
        headers={"retry-after": str(retry_after_s)},
    )


def describe_rejection(rejection: Rejection) -> Refusal:
    """A rejection of the ledger as the gateway answers it."""
    status = STATUSES.get(rejection.code, 422)
    headers = {"retry-after": str(QUOTA_RETRY_S)} if status == 429 else {}
    return Refusal(
        status,
        rejection.code,
        f"{rejection.text} {rejection.detail}".rstrip(),
        rule=rejection.RULE,
        remedy=rejection.remedy,
        headers=headers,
        params=rejection.params,
    )


def build_problem(refusal: Refusal, request_id: str) -> Problem:
    """The document of a refusal."""
    return Problem(
        type=refusal.type or _TYPE + refusal.code,
        title=refusal.title or refusal.code.rpartition(".")[2].replace("_", " ").capitalize(),
        status=refusal.status,
        detail=refusal.detail,
        code=refusal.code,
        rule=refusal.rule,
        remedy=refusal.remedy,
        instance=f"urn:hansa:request:{request_id}",
        params=refusal.params,
    )


def encode_problem(refusal: Refusal, request_id: str) -> bytes:
    """The bytes of a refusal's document."""
    return msgspec.json.encode(build_problem(refusal, request_id))


class Words:
    """The English words of a release's rejection codes (D14: the ledger holds codes alone)."""

    def __init__(self, kinds: tuple[type[Rejection], ...]) -> None:
        self._kinds = {f"{kind.CODESPACE}.{kind.CODE}": kind for kind in kinds}

    def describe(self, code: str, params: dict[str, Any]) -> tuple[str, str, str]:
        """Text, rule and remedy of a code; empty when this release does not know it."""
        kind = self._kinds.get(code)
        if kind is None:
            return "", "", ""
        rejection = kind(**params)
        return rejection.text, rejection.RULE, rejection.remedy
