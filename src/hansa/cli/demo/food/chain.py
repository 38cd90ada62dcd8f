"""The model food chain at work: pigs, cuts, sausages, dumplings, pallets, crates, shops. Pure.

A seed and a scale give the same events each time, in the order of their times, each with the firm
that captures it. `made_of` keeps what was made of what, for tests to compare with.
"""

import random
from collections.abc import Generator, Iterator, Sequence
from typing import Final, NamedTuple

from hansa.cli.demo.food.firms import VILLAGE, Firm, Scale, list_firms
from hansa.cli.demo.food.writing import (
    Amount,
    Event,
    write_making,
    write_moves,
    write_object,
    write_packing,
    write_temperature,
)

# 2026-03-01T00:00:00Z; each event is some seconds after the one before.
START_MS: Final = 1_772_323_200_000
# Products of every firm by what they are: item references.
PIG, CUT, SPICE, SAUSAGE, DUMPLING = 1, 2, 3, 4, 5
WARM, COLD = 98, 32


class Captured(NamedTuple):
    """An event, and the firm that captures it."""

    firm: Firm
    event: Event
    time_ms: int


class Lot:
    """An amount of a lot that stands somewhere and is used up."""

    def __init__(self, name: str, kilos: int) -> None:
        self.name, self.kilos = name, kilos

    def take(self, kilos: int) -> Amount:
        """So many kilograms, or what is left."""
        taken = min(kilos, self.kilos)
        self.kilos -= taken
        return self.name, taken


class FoodChain:
    """Endless work of all firms, from `start_ms`, an event each `step_ms`.

    `made_of`: lot to the lots it was made of; `packed`: unit to the lots that are, or were, in it;
    `warm`: units that a sensor found too warm.
    """

    def __init__(
        self,
        seed: int = 1,
        scale: Scale = VILLAGE,
        *,
        step_ms: int = 60_000,
        start_ms: int = START_MS,
    ) -> None:
        self.firms = list_firms(scale)
        self.made_of: dict[str, tuple[str, ...]] = {}
        self.packed: dict[str, tuple[str, ...]] = {}
        self.warm: list[str] = []
        self._draw = random.Random(seed)  # noqa: S311  (invented goods)
        self._step_ms = step_ms
        self._time_ms = start_ms
        self._numbers: dict[str, int] = {}
        self._by_role: dict[str, list[Firm]] = {}
        for firm in self.firms:
            self._by_role.setdefault(firm.role, []).append(firm)
        self._pigs: list[tuple[Firm, Lot]] = []
        self._stock: dict[str, list[Lot]] = {firm.prefix: [] for firm in self.firms}
        self._spices: dict[str, Lot] = {}

    def run(self, count: int) -> Iterator[Captured]:
        """The first `count` events."""
        made = 0
        while made < count:
            for captured in self._turn():
                yield captured
                made += 1
                if made == count:
                    return

    def firms_of(self, role: str) -> Sequence[Firm]:
        """All firms of a role."""
        return self._by_role[role]

    @property
    def spices(self) -> tuple[str, ...]:
        """Lots of spice now in use: each is in the products of its maker for a long time."""
        return tuple(lot.name for _prefix, lot in sorted(self._spices.items()))

    def _turn(self) -> Iterator[Captured]:
        """One batch from the pigs to the shops."""
        yield from self._raise_pigs()
        yield from self._slaughter()
        maker = self._pick_maker()
        if maker.prefix not in self._spices or self._spices[maker.prefix].kilos < 20:
            yield from self._bring_spice(maker)
        product = yield from self._make(maker)
        yield from self._distribute(maker, product)

    def _raise_pigs(self) -> Iterator[Captured]:
        farm, abattoir = self._pick("farm"), self._pick("slaughterhouse")
        pigs = self._new_lot(farm, PIG, self._draw.randrange(700, 1_400))
        yield self._commission(farm, pigs)
        yield from self._move(farm, abattoir, [(pigs.name, pigs.kilos)])
        self._pigs.append((abattoir, pigs))

    def _slaughter(self) -> Iterator[Captured]:
        abattoir, pigs = self._pigs.pop(0)
        weight = pigs.kilos
        parts = [self._new_lot(abattoir, CUT, weight * share // 100) for share in (34, 26, 10)]
        yield self._transform(abattoir, [pigs.take(weight)], parts)
        for part in parts:
            maker = self._pick("processor")
            yield from self._move(abattoir, maker, [(part.name, part.kilos)])
            self._stock[maker.prefix].append(part)

    def _pick_maker(self) -> Firm:
        """A processor with several lots in stock, or the one that has most."""
        makers = self._by_role["processor"]
        ready = [each for each in makers if len(self._stock[each.prefix]) > 3]
        return self._draw.choice(ready or [max(makers, key=lambda m: len(self._stock[m.prefix]))])

    def _bring_spice(self, maker: Firm) -> Iterator[Captured]:
        farm = self._pick("farm")
        spice = self._new_lot(farm, SPICE, 2_000)
        yield self._commission(farm, spice)
        yield from self._move(farm, maker, [(spice.name, spice.kilos)])
        self._spices[maker.prefix] = spice

    def _make(self, maker: Firm) -> Generator[Captured, None, Lot]:
        """Sausages of up to four cuts and spice; now and then dumplings of earlier products."""
        stock = self._stock[maker.prefix]
        inputs = [lot.take(self._draw.randrange(100, 260)) for lot in stock[:4]]
        inputs.append(self._spices[maker.prefix].take(5))
        self._stock[maker.prefix] = [lot for lot in stock if lot.kilos > 0]
        kilos = sum(amount for _name, amount in inputs) * 9 // 10
        kind = DUMPLING if any(f".{SAUSAGE:06d}." in name for name, _ in inputs) else SAUSAGE
        product = self._new_lot(maker, kind, kilos)
        yield self._transform(maker, inputs, [product])
        return product

    def _distribute(self, maker: Firm, product: Lot) -> Iterator[Captured]:
        """On pallets through a cold store and a wholesaler to shops; some to another maker."""
        share = product.kilos // 4
        makers = self._by_role["processor"]
        if share and len(makers) > 1 and self._draw.randrange(4) == 0:
            other = self._draw.choice([each for each in makers if each is not maker])
            yield from self._move(maker, other, [(product.name, share)])
            product.kilos -= share
            self._stock[other.prefix].append(Lot(product.name, share))
        store, market = self._pick("cold_store"), self._pick("wholesaler")
        while product.kilos > 0:
            pallet, amount = self._new_unit(maker), product.take(max(share, 60))
            yield self._pack(maker, "ADD", pallet, [amount])
            yield from self._haul(maker, store, pallet)
            for _ in range(2):
                yield self._measure(store, "storing", pallet)
            yield from self._haul(store, market, pallet)
            yield self._pack(market, "DELETE", pallet, [amount])
            yield from self._sell(market, amount)

    def _sell(self, market: Firm, amount: Amount) -> Iterator[Captured]:
        """In crates to three shops, which sell what is in them."""
        name, kilos = amount
        parts = [kilos // 3, kilos // 3, kilos - 2 * (kilos // 3)]
        for part in (each for each in parts if each):
            shop, crate = self._pick("retailer"), self._new_unit(market)
            yield self._pack(market, "ADD", crate, [(name, part)])
            yield from self._move(market, shop, [crate])
            yield self._pack(shop, "DELETE", crate, [(name, part)])
            yield self._note(shop, "OBSERVE", "stocking", [(name, part)], "sellable_accessible")
            yield self._note(shop, "DELETE", "retail_selling", [(name, part)], "retail_sold")

    def _haul(self, sender: Firm, receiver: Firm, unit: str) -> Iterator[Captured]:
        """A pallet goes by a carrier who takes its temperature."""
        carrier = self._pick("carrier")
        yield self._ship(sender, receiver, [unit])
        for _ in range(2):
            yield self._measure(carrier, "transporting", unit)
        yield self._receive(sender, receiver, [unit])

    def _move(
        self, sender: Firm, receiver: Firm, what: Sequence[str | Amount]
    ) -> Iterator[Captured]:
        yield self._ship(sender, receiver, what)
        yield self._receive(sender, receiver, what)

    def _ship(self, sender: Firm, receiver: Firm, what: Sequence[str | Amount]) -> Captured:
        moves = write_moves(sender.party, receiver.party)
        return self._note(sender, "OBSERVE", "shipping", what, "in_transit", **moves)

    def _receive(self, sender: Firm, receiver: Firm, what: Sequence[str | Amount]) -> Captured:
        moves = write_moves(sender.party, receiver.party)
        return self._note(receiver, "OBSERVE", "receiving", what, "in_progress", **moves)

    def _commission(self, firm: Firm, lot: Lot) -> Captured:
        amounts = [(lot.name, lot.kilos)]
        return self._note(firm, "ADD", "commissioning", amounts, "active")

    def _note(
        self,
        firm: Firm,
        action: str,
        step: str,
        what: Sequence[str | Amount],
        disposition: str,
        **fields: object,
    ) -> Captured:
        time_ms = self._tick()
        event = write_object(
            time_ms, action, step, firm.site, what, disposition=disposition, **fields
        )
        return Captured(firm, event, time_ms)

    def _measure(self, firm: Firm, step: str, unit: str) -> Captured:
        is_warm = self._draw.randrange(500) == 0
        if is_warm:
            self.warm.append(unit)
        tenths = (WARM if is_warm else COLD) + self._draw.randrange(-12, 13)
        sensed = write_temperature(self._time_ms + self._step_ms, tenths)
        return self._note(firm, "OBSERVE", step, [unit], "in_progress", **sensed)

    def _pack(self, firm: Firm, action: str, unit: str, amounts: Sequence[Amount]) -> Captured:
        if action == "ADD":
            self.packed[unit] = tuple(name for name, _kilos in amounts)
        time_ms = self._tick()
        return Captured(firm, write_packing(time_ms, action, firm.site, unit, amounts), time_ms)

    def _transform(self, firm: Firm, inputs: Sequence[Amount], outputs: Sequence[Lot]) -> Captured:
        used = [(name, kilos) for name, kilos in inputs if kilos]
        made = [(lot.name, lot.kilos) for lot in outputs]
        for name, _kilos in made:
            self.made_of[name] = tuple(each for each, _ in used)
        time_ms = self._tick()
        return Captured(firm, write_making(time_ms, firm.site, used, made), time_ms)

    def _pick(self, role: str) -> Firm:
        return self._draw.choice(self._by_role[role])

    def _new_lot(self, firm: Firm, product: int, kilos: int) -> Lot:
        return Lot(firm.product(product, f"L{self._count(f'lot {firm.prefix}'):06d}"), kilos)

    def _new_unit(self, firm: Firm) -> str:
        return firm.unit(self._count(f"unit {firm.prefix}"))

    def _count(self, what: str) -> int:
        self._numbers[what] = self._numbers.get(what, 0) + 1
        return self._numbers[what]

    def _tick(self) -> int:
        self._time_ms += self._step_ms
        return self._time_ms
