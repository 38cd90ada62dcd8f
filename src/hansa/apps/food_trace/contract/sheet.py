"""What one message changes: items are read once, changed here, written once at the end. Pure."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract.manifest import FLAGS_MAX, find_level, find_product
from hansa.apps.food_trace.event import FoodEvent
from hansa.apps.food_trace.model import events as e
from hansa.apps.food_trace.model.messages import ClearReason, RecallOutcome
from hansa.apps.food_trace.model.records import Flag, FlagKind, Item, Packed, Stay, Tally
from hansa.ledger.context import Context, NoSuchRecord
from hansa.ledger.model import is_key_part
from hansa.ledger.system import Member

# What was known of a flag's end besides the reasons of a regulator.
Ending = ClearReason | RecallOutcome | Literal["extended"]


class Sheet:
    """Items and the counts of the league, as a message has changed them so far."""

    def __init__(self, ctx: Context, by: str) -> None:
        tally = ctx.get(Tally, "league") or Tally()
        self.ctx = ctx
        self.by = by
        self.events = tally.events
        self.flags = tally.flags
        self._tally = tally
        self._items: dict[str, Item] = {}
        self._changed: dict[str, None] = {}
        self._raised: dict[tuple[FlagKind, str], list[Flag]] = {}
        self._closed: dict[Ending, list[Flag]] = {}

    def find(self, item: str) -> Item | None:
        """The item, or None. The identifier has to be a key part."""
        found = self._items.get(item)
        if found is None:
            found = self.ctx.get(Item, item)
            if found is not None:
                self._items[item] = found
        return found

    def need(self, item: str) -> Item:
        """The item. Raises NoSuchRecord."""
        found = self.find(item) if is_key_part(item) else None
        if found is None:
            raise NoSuchRecord(kind="item", key=item)
        return found

    def open(self, item: str, *, is_epc: bool) -> Item:
        """The item; one that was never seen comes from outside, and its record begins here."""
        found = self.find(item)
        if found is None:
            level = find_level(item, is_epc=is_epc)
            found = Item(id=item, level=level, product=find_product(item))
            self._items[item] = found
        return found

    def put(self, item: Item) -> None:
        """Take the item as it is now."""
        self._items[item.id] = item
        self._changed[item.id] = None

    def raise_flag(
        self,
        item: Item,
        kind: FlagKind,
        source: str,
        jurisdiction: str,
        *,
        product: str = "",
        since_ms: int = 0,
        until_ms: int = 0,
    ) -> Item:
        """A new flag of the item; gives the item with it. Raises TooMany."""
        if len(item.flags) >= FLAGS_MAX:
            raise r.TooMany(what="open flags of one item", count=FLAGS_MAX + 1, limit=FLAGS_MAX)
        self.flags += 1
        flag = Flag(
            item=item.id,
            number=self.flags,
            kind=kind,
            source=source,
            product=product,
            since_ms=since_ms,
            until_ms=until_ms,
            opened=self.events,
            opened_ms=self.ctx.time_ms,
            jurisdiction=jurisdiction,
        )
        self.ctx.put(flag)
        self._raised.setdefault((kind, source), []).append(flag)
        item = msgspec.structs.replace(item, flags=(*item.flags, flag.number))
        self.put(item)
        return item

    def close_flag(self, flag: Flag, reason: Ending) -> None:
        """The flag no longer stands."""
        self.ctx.put(
            msgspec.structs.replace(
                flag,
                closed=self.events,
                closed_ms=self.ctx.time_ms,
                closed_by=self.by,
                reason=reason,
            )
        )
        item = self.need(flag.item)
        left = tuple(number for number in item.flags if number != flag.number)
        self.put(msgspec.structs.replace(item, flags=left))
        self._closed.setdefault(reason, []).append(flag)

    def list_flags(self, item: Item) -> Iterator[Flag]:
        """Its own open flags."""
        for number in item.flags:
            yield self.ctx.need(Flag, item.id, str(number))

    def save(self) -> None:
        """Write what has changed, and announce the flags."""
        for item in self._changed:
            self.ctx.put(self._items[item])
        if (self.events, self.flags) != (self._tally.events, self._tally.flags):
            self.ctx.put(Tally(events=self.events, flags=self.flags))
        for (kind, source), flags in self._raised.items():
            items, numbers = _list_items(flags), _list_numbers(flags)
            self.ctx.emit(
                e.ItemsFlagged(by=self.by, kind=kind, source=source, items=items, numbers=numbers)
            )
        for reason, flags in self._closed.items():
            items, numbers = _list_items(flags), _list_numbers(flags)
            self.ctx.emit(e.FlagsClosed(by=self.by, reason=reason, items=items, numbers=numbers))


class Capturing(Sheet):
    """The sheet of one captured event: it is number `events` of the league, under `key`."""

    def __init__(self, ctx: Context, member: Member, event: FoodEvent, key: str) -> None:
        super().__init__(ctx, member.did)
        self.events += 1
        self.member = member
        self.event = event
        self.key = key
        self.settles: dict[str, None] = {}
        self._before: dict[Packed, list[str]] = {}
        self.owned: set[str] = set()  # products whose company prefix was looked at

    def note_packed(self, child: Item, stay: Stay | None) -> None:
        """Remember where a child was before the event, and its stay in the event's parent."""
        found = Packed(
            children=(),
            parent=child.parent,
            by=child.packed_by,
            changed_ms=child.packed_ms,
            since_ms=stay.since_ms if stay else None,
            entered_ms=stay.entered_ms if stay else 0,
            stay_by=stay.by if stay else "",
            until_ms=stay.until_ms if stay else None,
        )
        self._before.setdefault(found, []).append(child.id)

    def list_before(self) -> tuple[Packed, ...]:
        """Where what the event packed was; children that were alike are together."""
        return tuple(
            msgspec.structs.replace(each, children=tuple(children))
            for each, children in self._before.items()
        )


def _list_items(flags: list[Flag]) -> tuple[str, ...]:
    return tuple(flag.item for flag in flags)


def _list_numbers(flags: list[Flag]) -> tuple[int, ...]:
    return tuple(flag.number for flag in flags)
