"""Mass balance (I3): what comes of a transformation, and what is used of a lot. Pure.

Judged in every unit in which an input is given; pieces are not mass, except of one and the same
lot. Grams and kilograms are one unit, litres and millilitres another.
"""

from collections.abc import Callable, Iterable

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract import units
from hansa.apps.food_trace.contract.manifest import find_product
from hansa.apps.food_trace.contract.units import Number
from hansa.apps.food_trace.model.records import Account, Item, Portion
from hansa.primitives.limits import INTEGER_MAX

PPM = 1_000_000


def check_balance(
    inputs: Iterable[Portion], outputs: Iterable[Portion], read_yield: Callable[[str], int]
) -> None:
    """Raise Unbalanced when outputs, each by the yield of its product, exceed the inputs."""
    given: dict[str, Number] = {}
    for _item, number, uom in _list_measured(inputs):
        given[uom] = units.add(given.get(uom, (0, 0)), number)
    out: dict[str, dict[int, Number]] = {}
    for item, number, uom in _list_measured(outputs):
        if uom in given:
            by_yield = out.setdefault(uom, {})
            ppm = read_yield(find_product(item))
            by_yield[ppm] = units.add(by_yield.get(ppm, (0, 0)), number)
    for uom, by_yield in out.items():
        if is_exceeded(given[uom], by_yield):
            total = (0, 0)
            for number in by_yield.values():
                total = units.add(total, number)
            raise r.Unbalanced(
                uom=uom, out=units.format_number(total), given=units.format_number(given[uom])
            )


def is_exceeded(given: Number, by_yield: dict[int, Number]) -> bool:
    """Whether the sum of output * 1,000,000 / ppm is more than the inputs, without rounding."""
    common = 1
    for ppm in by_yield:
        common *= ppm
    needed: Number = (0, 0)
    for ppm, (amount, scale) in by_yield.items():
        needed = units.add(needed, (amount * PPM * (common // ppm), scale))
    return units.is_more(needed, (given[0] * common, given[1]))


def _list_measured(portions: Iterable[Portion]) -> Iterable[tuple[str, Number, str]]:
    """Item, amount and sum unit of what has a mass, a volume or another measure."""
    for portion in portions:
        if portion.amount is not None:
            amount, scale, uom = units.to_sum_unit(portion.amount, portion.scale, portion.uom)
            if uom != units.PIECES:
                yield portion.item, (amount, scale), uom


def enter(item: Item, portion: Portion, made: int, used: int) -> Item:
    """The lot with `made` and `used` times the portion more in its account.

    A portion without an amount changes nothing. Raises UsedBeyondMade, TooMany.
    """
    if portion.amount is None:
        return item
    amount, scale, uom = units.to_sum_unit(portion.amount, portion.scale, portion.uom)
    accounts = {account.uom: account for account in item.accounts}
    old = accounts.get(uom, Account(uom, 0, 0, 0))
    new_made = units.add((old.made, old.scale), (made * amount, scale))
    new_used = units.add((old.used, old.scale), (used * amount, scale))
    if max(new_made[0], new_used[0]) > INTEGER_MAX:
        raise r.TooMany(what="units of one lot", count=INTEGER_MAX, limit=INTEGER_MAX)
    accounts[uom] = Account(uom, new_made[1], new_made[0], new_used[0])
    return msgspec.structs.replace(
        item, accounts=tuple(accounts[each] for each in sorted(accounts))
    )


def check_account(item: Item) -> None:
    """Raise UsedBeyondMade when more of a lot is used than was made here, in a unit it was made in.

    A lot that came from outside, or some of which was made without an amount, is not judged.
    """
    if not item.makings or item.unmeasured:
        return
    for account in item.accounts:
        if account.made and account.used > account.made:
            raise r.UsedBeyondMade(
                item=item.id,
                uom=account.uom or "pieces",
                used=units.format_number((account.used, account.scale)),
                made=units.format_number((account.made, account.scale)),
            )
