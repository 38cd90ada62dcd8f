"""What is no event: registers, limits, yields, results, recalls, flags. Pure."""

import msgspec

from hansa.apps.food_trace import rejections as r
from hansa.apps.food_trace.contract.cold_chain import ANY_PRODUCT
from hansa.apps.food_trace.contract.lineage import Reach, Walk
from hansa.apps.food_trace.contract.making import PREFIX_DIGITS_MIN
from hansa.apps.food_trace.contract.manifest import (
    YIELD_MAX_PPM,
    contract,
    need_actor,
    need_member,
    require_regulator,
)
from hansa.apps.food_trace.contract.sheet import Sheet
from hansa.apps.food_trace.faults import BadCheckDigit
from hansa.apps.food_trace.model import events as e
from hansa.apps.food_trace.model import messages as m
from hansa.apps.food_trace.model.records import Flag, Item, Tally
from hansa.apps.food_trace.model.registers import (
    LabResult,
    Limits,
    LimitsSince,
    PrefixBlock,
    Recall,
    Site,
    Trader,
    Yield,
    YieldSince,
)
from hansa.ledger.context import Context
from hansa.ledger.model import is_key_part
from hansa.primitives.identifiers import compute_gs1_digit

GTIN_DIGITS = 14
# Company prefixes that begin with the same six digits: they are one record.
PREFIXES_MAX = 1_000


@contract.handles(m.RegisterSite)
def register_site(ctx: Context, message: m.RegisterSite) -> None:
    """By the regulator of the member's jurisdiction; a registered place changes hands by both."""
    actor, member = need_actor(ctx), need_member(ctx, message.member)
    require_regulator(ctx, member.jurisdiction)
    if compute_gs1_digit(message.gln[:12]) != message.gln[12]:
        raise BadCheckDigit(key=message.gln, expected=compute_gs1_digit(message.gln[:12]))
    site = Site(
        gln=message.gln,
        member=member.did,
        name=message.name,
        town=message.town,
        jurisdiction=member.jurisdiction,
    )
    found = ctx.get(Site, message.gln)
    if found is not None:
        if found == site:
            raise r.AlreadyRegistered(key=site.gln, member=found.member)
        require_regulator(ctx, found.jurisdiction)
    ctx.put(site)
    ctx.emit(e.SiteRegistered(by=actor.did, gln=site.gln, member=site.member))


@contract.handles(m.RegisterTrader)
def register_trader(ctx: Context, message: m.RegisterTrader) -> None:
    """As for a place; one prefix is not within another."""
    actor, member = need_actor(ctx), need_member(ctx, message.member)
    require_regulator(ctx, member.jurisdiction)
    digits = message.prefix[:PREFIX_DIGITS_MIN]
    prefixes = set((ctx.get(PrefixBlock, digits) or PrefixBlock(id=digits, prefixes=())).prefixes)
    for prefix in sorted(prefixes):
        if not (message.prefix.startswith(prefix) or prefix.startswith(message.prefix)):
            continue
        within = ctx.need(Trader, prefix)
        if prefix != message.prefix or within.member == member.did:
            raise r.AlreadyRegistered(key=prefix, member=within.member)
        require_regulator(ctx, within.jurisdiction)
    prefixes.add(message.prefix)
    if len(prefixes) > PREFIXES_MAX:
        raise r.TooMany(what="prefixes of six digits", count=len(prefixes), limit=PREFIXES_MAX)
    ctx.put(PrefixBlock(id=digits, prefixes=tuple(sorted(prefixes))))
    ctx.put(Trader(prefix=message.prefix, member=member.did, jurisdiction=member.jurisdiction))
    ctx.emit(e.TraderRegistered(by=actor.did, prefix=message.prefix, member=member.did))


@contract.handles(m.SetLimits)
def set_limits(ctx: Context, message: m.SetLimits) -> None:
    """For what is captured from now on; what was flagged stays flagged."""
    actor = need_actor(ctx)
    require_regulator(ctx, message.jurisdiction)
    bounds = [each for each in (message.low, message.high) if each is not None]
    if not bounds or bounds != sorted(bounds) or not _is_product(message.product, ANY_PRODUCT):
        raise r.LimitsInvalid(product=message.product)
    found = ctx.get(Limits, message.jurisdiction, message.product, message.sensor)
    version = LimitsSince(
        after=_read_tally(ctx).events,
        uom=message.uom,
        scale=message.scale,
        low=message.low,
        high=message.high,
    )
    ctx.put(
        Limits(
            jurisdiction=message.jurisdiction,
            product=message.product,
            sensor=message.sensor,
            versions=(*(found.versions if found else ()), version),
        )
    )
    ctx.emit(
        e.LimitsSet(
            by=actor.did,
            jurisdiction=message.jurisdiction,
            product=message.product,
            sensor=message.sensor,
        )
    )


@contract.handles(m.DeclareYield)
def declare_yield(ctx: Context, message: m.DeclareYield) -> None:
    """For the transformations of the sender's organisation that it captures from now on (I3)."""
    actor = need_actor(ctx)
    if not any(ctx.has_role(role, actor.jurisdiction) for role in ("processor", "slaughterhouse")):
        ctx.require_role("processor", actor.jurisdiction)
    if not _is_product(message.product):
        raise r.LimitsInvalid(product=message.product)
    limit = ctx.parameter("yield_max_ppm", YIELD_MAX_PPM)
    if message.ppm > limit:
        raise r.YieldTooHigh(ppm=message.ppm, limit=limit)
    found = ctx.get(Yield, actor.did, message.product)
    version = YieldSince(after=_read_tally(ctx).events, ppm=message.ppm)
    ctx.put(
        Yield(
            member=actor.did,
            product=message.product,
            versions=(*(found.versions if found else ()), version),
        )
    )
    ctx.emit(e.YieldDeclared(by=actor.did, product=message.product, ppm=message.ppm))


@contract.handles(m.ReportResult)
def report_result(ctx: Context, message: m.ReportResult) -> None:
    """A failed test stops the item and whatever was made of it."""
    actor = need_actor(ctx)
    ctx.require_role("laboratory", actor.jurisdiction)
    if ctx.get(LabResult, message.result) is not None:
        raise r.AlreadyReported(key=message.result)
    if message.sampled_ms > ctx.time_ms:
        raise r.InTheFuture(field="sampled_ms", ahead_ms=message.sampled_ms - ctx.time_ms)
    sheet = Sheet(ctx, actor.did)
    item, number = _need_traced(sheet, message.item), 0
    if message.verdict == "fail":
        number = sheet.raise_flag(item, "laboratory", message.result, actor.jurisdiction).flags[-1]
    ctx.put(
        LabResult(
            id=message.result,
            laboratory=actor.did,
            item=item.id,
            test=message.test,
            verdict=message.verdict,
            sampled_ms=message.sampled_ms,
            reported_ms=ctx.time_ms,
            commitment=message.commitment,
            number=number,
        )
    )
    ctx.emit(
        e.ResultReported(by=actor.did, result=message.result, item=item.id, verdict=message.verdict)
    )
    sheet.save()


@contract.handles(m.OpenRecall)
def open_recall(ctx: Context, message: m.OpenRecall) -> None:
    """A regulator recalls anything; who made the items recalls its own (I10)."""
    actor = need_actor(ctx)
    if ctx.get(Recall, message.recall) is not None:
        raise r.AlreadyReported(key=message.recall)
    sheet = Sheet(ctx, actor.did)
    names = tuple(dict.fromkeys(message.items))
    items = [_need_traced(sheet, each) for each in names]
    is_regulator = ctx.has_role("regulator", actor.jurisdiction)
    if not is_regulator and any(item.made_by != actor.did for item in items):
        raise r.NotTheParty(party="a regulator, or who made all of the items,")
    flags = tuple(
        sheet.raise_flag(item, "recall", message.recall, actor.jurisdiction).flags[-1]
        for item in items
    )
    recall = Recall(
        id=message.recall,
        member=actor.did,
        jurisdiction=actor.jurisdiction,
        items=names,
        flags=flags,
        reason=message.reason,
        opened_ms=ctx.time_ms,
    )
    ctx.put(recall)
    ctx.emit(e.RecallOpened(by=actor.did, recall=recall.id, items=names, reason=message.reason))
    sheet.save()


@contract.handles(m.CloseRecall)
def close_recall(ctx: Context, message: m.CloseRecall) -> None:
    """Its flags no longer stand; who recalled its own items needs nobody for that."""
    actor = need_actor(ctx)
    recall = ctx.need(Recall, message.recall)
    if actor.did != recall.member:
        require_regulator(ctx, recall.jurisdiction)
    if recall.status != "OPEN":
        raise r.NotOpen(key=recall.id)
    sheet = Sheet(ctx, actor.did)
    for item, number in zip(recall.items, recall.flags, strict=True):
        flag = ctx.need(Flag, item, str(number))
        if not flag.closed:
            sheet.close_flag(flag, message.outcome)
    ctx.put(
        msgspec.structs.replace(
            recall, status="CLOSED", outcome=message.outcome, closed_ms=ctx.time_ms
        )
    )
    ctx.emit(e.RecallClosed(by=actor.did, recall=recall.id, outcome=message.outcome))
    sheet.save()


@contract.handles(m.ClearFlag)
def clear_flag(ctx: Context, message: m.ClearFlag) -> None:
    """By the regulator where it was raised; recalls are closed by CloseRecall."""
    actor = need_actor(ctx)
    flag = ctx.need(Flag, message.item, str(message.number))
    require_regulator(ctx, flag.jurisdiction)
    if flag.closed or flag.kind == "recall":
        raise r.NotOpen(key=f"{message.item}/{message.number}")
    sheet = Sheet(ctx, actor.did)
    sheet.close_flag(flag, message.reason)
    sheet.save()


@contract.handles(m.ReleaseItem)
def release_item(ctx: Context, message: m.ReleaseItem) -> None:
    """This item, and what is made of it, is free of what reaches it now (it was cooked, say)."""
    actor = need_actor(ctx)
    sheet = Sheet(ctx, actor.did)
    item = sheet.need(message.item)
    found = Walk(sheet).find_all(item, with_contents=False)
    if not found:
        raise r.NothingToRelease(item=item.id)
    _require_regulators(ctx, found)
    upto = max(reach.flag.number for reach in found)
    sheet.put(msgspec.structs.replace(item, cleared=upto))
    ctx.emit(e.ItemReleased(by=actor.did, item=item.id, upto=upto, reason=message.reason))
    sheet.save()


@contract.handles(m.CheckLineage)
def check_lineage(ctx: Context, message: m.CheckLineage) -> None:
    """As far as WALK_MAX goes; what was found clean on the way is not looked at again."""
    actor = need_actor(ctx)
    sheet = Sheet(ctx, actor.did)
    item = sheet.need(message.item)
    walk = Walk(sheet)
    is_done = True
    try:
        walk.find_all(item, with_contents=True)
    except r.LineageTooLong:
        is_done = False
    for each in walk.clean:
        sheet.put(msgspec.structs.replace(each, walked=sheet.flags))
    ctx.emit(e.LineageChecked(by=actor.did, item=item.id, done=1 if is_done else 0))
    sheet.save()


def _need_traced(sheet: Sheet, name: str) -> Item:
    """An object or a lot. Raises NoSuchRecord, NotTraced."""
    item = sheet.need(name)
    if item.level == "class":
        raise r.NotTraced(item=item.id)
    return item


def _require_regulators(ctx: Context, found: list[Reach]) -> None:
    """Each flag is its own jurisdiction's to pass over."""
    for jurisdiction in dict.fromkeys(reach.flag.jurisdiction for reach in found):
        require_regulator(ctx, jurisdiction)


def _read_tally(ctx: Context) -> Tally:
    return ctx.get(Tally, "league") or Tally()


def _is_product(product: str, *others: str) -> bool:
    if product in others:
        return True
    digits = product.removeprefix("01.")
    is_gtin = len(digits) == GTIN_DIGITS and digits.isascii() and digits.isdigit()
    is_whole = is_key_part(product) and product == f"01.{digits}"
    return is_gtin and is_whole and compute_gs1_digit(digits[:13]) == digits[13]
