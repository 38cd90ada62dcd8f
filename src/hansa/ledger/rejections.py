"""Rejections: expected refusals with a stable code, the rule they hold and a next step. Pure.

Only code and params go on the ledger (D14); TEXT and REMEDY are the English words for them.
"""

from typing import ClassVar

from hansa.primitives.limits import PARAM_TEXT_MAX, PARAMS_MAX

Param = str | int


class InvariantViolation(Exception):
    """A bug in the kernel itself: the node stops (never raised for what a user sends)."""


def invariant(condition: bool, text: str) -> None:
    """Raise InvariantViolation unless `condition` holds; unlike `assert`, it stays on under -O."""
    if not condition:
        raise InvariantViolation(text)


class Rejection(Exception):
    """An expected refusal. Subclasses set CODE, RULE, TEXT and REMEDY; params fill the texts.

    `CODESPACE` is the application's or system contract's name; the full code on the ledger is
    `codespace.code`. Texts are `str.format` templates over the params.
    """

    CODESPACE: ClassVar[str] = "ledger"
    CODE: ClassVar[str] = ""
    RULE: ClassVar[str] = ""
    TEXT: ClassVar[str] = ""
    REMEDY: ClassVar[str] = ""
    # More for whoever sent it; never on the ledger, so it may be in a library's words.
    detail: str = ""

    def __init__(self, **params: Param) -> None:
        if not self.CODE or len(params) > PARAMS_MAX:
            raise TypeError("a rejection needs a CODE and at most PARAMS_MAX params")
        self.params: dict[str, Param] = {
            name: value if isinstance(value, int) else value[:PARAM_TEXT_MAX]
            for name, value in sorted(params.items())
        }
        super().__init__(self.code)

    @property
    def code(self) -> str:
        """Stable full code, `codespace.code`."""
        return f"{self.CODESPACE}.{self.CODE}"

    @property
    def text(self) -> str:
        """What was refused, in English."""
        return self.TEXT.format_map(_Shown(self.params))

    @property
    def remedy(self) -> str:
        """What to do next, in English."""
        return self.REMEDY.format_map(_Shown(self.params))


class _Shown(dict[str, Param]):
    """Params for a template: a missing one shows as its own name, so a text never fails."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
