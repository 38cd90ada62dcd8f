"""A toy cash desk at which one pays for oneself, or under a mandate of the payer."""

from typing import ClassVar

from hansa.ledger.context import Context
from hansa.ledger.contracts import Contract
from hansa.ledger.model import Message, Record, Visibility
from hansa.ledger.rejections import Rejection


class Payment(Record, frozen=True, kw_only=True):
    """What was paid, by whose hand."""

    KIND: ClassVar[str] = "payment"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    payer: str
    by: str
    amount: int


class Answer(Record, frozen=True, kw_only=True):
    """What a view last said."""

    KIND: ClassVar[str] = "answer"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str = "last"
    text: str


class Pay(Message, frozen=True, kw_only=True):
    """Pay for somebody."""

    payer: str
    amount: int = 0
    currency: str = ""


class Refund(Message, frozen=True, kw_only=True):
    """Another act, which needs nobody's leave."""

    payer: str


class Ask(Message, frozen=True, kw_only=True):
    """Ask who could act."""

    principal: str
    delegate: str
    type: str
    amount: int
    currency: str


class NotThePayer(Rejection):
    """Neither the payer nor one with its mandate."""

    CODESPACE = "desk"
    CODE = "not_the_payer"
    RULE = "K1"
    TEXT = "Only {payer} pays for itself."
    REMEDY = "Use a mandate of the payer in the same transaction."


contract = Contract("desk", reads=("mandates",), records=(Payment, Answer))


@contract.handles(Pay)
def pay(ctx: Context, message: Pay) -> None:
    if ctx.sender != message.payer and not ctx.view(
        "mandates",
        "may_act",
        ctx.transaction,
        ctx.message_index,
        ctx.sender,
        message.payer,
        "desk",
        "Pay",
        message.amount,
        message.currency,
    ):
        raise NotThePayer(payer=message.payer)
    ctx.put(
        Payment(
            id=f"{ctx.transaction[:32]}-{ctx.message_index}",
            payer=message.payer,
            by=ctx.sender,
            amount=message.amount,
        )
    )


@contract.handles(Refund)
def refund(ctx: Context, message: Refund) -> None:
    ctx.put(Answer(text=message.payer))


@contract.handles(Ask)
def ask(ctx: Context, message: Ask) -> None:
    found = ctx.view(
        "mandates",
        "find_mandate",
        message.principal,
        message.delegate,
        "desk",
        message.type,
        message.amount,
        message.currency,
    )
    ctx.put(Answer(text=found))
