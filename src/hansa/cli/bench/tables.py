"""The reports of measurements for people. Pure."""

from collections.abc import Iterator

from hansa.cli.answers import format_table
from hansa.cli.bench.circumstances import list_circumstances
from hansa.cli.bench.figures import Spread
from hansa.cli.bench.report import LoadFigures, NetworkFigures, NodeProfile, Report
from hansa.cli.bench.sheet import format_ratio
from hansa.cli.bench.stages import StagesReport


def format_report(report: Report) -> str:
    """All of it, top to bottom: where, what, figures, ratios."""
    return "\n".join(_list_lines(report))


def format_stages(report: StagesReport) -> str:
    """One node's work, a row for each stage."""
    lines = [*list_circumstances(report), ""]
    columns = ["microseconds of processor"]
    for each in report.figures:
        columns += [f"{each.messages} a transaction ({each.length:,} bytes)", "a message"]
    names = list(dict.fromkeys(name for each in report.figures for name in each.stages))
    rows = [[name, *_list_stage(report, name)] for name in names]
    rows.append(["all", *_format_times([(f.total_us, f.messages) for f in report.figures])])
    checks = _format_times([(f.check_us, f.messages) for f in report.figures])
    rows.append(["of it the signature check", *checks])
    lines.append(format_table(columns, rows))
    if report.profile is not None:
        lines += ["", *_list_profile(report.profile)]
    return "\n".join(lines)


def _list_stage(report: StagesReport, name: str) -> list[str]:
    return _format_times([(each.stages.get(name, 0.0), each.messages) for each in report.figures])


def _format_times(times: list[tuple[float, int]]) -> list[str]:
    """Each in all, and per message."""
    return [text for us, count in times for text in (f"{us:,.1f}", f"{us / count:,.1f}")]


def _list_lines(report: Report) -> Iterator[str]:
    plan = report.plan
    yield from list_circumstances(report)
    yield (
        f"{plan.validators} validators on this machine, {plan.repeat} repetitions of "
        f"{plan.seconds:g} s after {plan.warm_up_s:g} s of warm-up, at most {plan.window} "
        "transactions on their way; figures are medians (least to most)"
    )
    same = "; ".join(report.differences) or "the same in every network, names and addresses apart"
    yield f"engine configuration: {same}"
    yield f"Ed25519 check of a transaction: {report.verify_per_s:,.0f} a second on one core"
    yield ""
    yield _format_loads(report.networks)
    yield ""
    yield _format_finality(report.networks)
    if any(network.parts for network in report.networks):
        yield ""
        yield _format_parts(report.networks)
    if report.alone:
        yield ""
        yield "one validator alone:"
        yield _format_loads(report.alone)
        yield _format_finality(report.alone)
    yield ""
    yield from _list_limits(report)
    if report.profile is not None:
        yield ""
        yield from _list_profile(report.profile)
    yield from (f"✗ {fault}" for fault in report.faults)


def _format_loads(networks: tuple[NetworkFigures, ...]) -> str:
    columns = (
        "network", "messages", "bytes", "tx/s", "messages/s", "engine us/tx", "node us/tx",
        "us/message", "tx/block", "cores: engines nodes sender others", "late", "full", "lost",
    )  # fmt: skip
    return format_table(
        columns, [_format_load(network, load) for network in networks for load in network.loads]
    )


def _format_load(network: NetworkFigures, load: LoadFigures) -> list[str]:
    cores = load.cores
    return [
        network.name,
        str(load.messages),
        f"{load.length:,}",
        _format_spread(load.transactions_per_s) + (" (ran out)" if load.ran_out else ""),
        f"{load.messages_per_s.median:,.0f}",
        f"{load.engine_cpu_us.median:,.0f}",
        f"{load.node_cpu_us.median:,.0f}",
        f"{load.message_cpu_us.median:,.0f}",
        f"{load.transactions_per_block:,.0f}",
        " ".join(f"{cores[name]:.2f}" for name in ("engines", "nodes", "sender", "others")),
        str(load.late_blocks),
        str(load.full),
        str(load.lost),
    ]


def _format_spread(spread: Spread) -> str:
    if len(spread.runs) < 2:
        return f"{spread.median:,.1f}"
    return f"{spread.median:,.1f} ({spread.least:,.1f} to {spread.most:,.1f})"


def _format_finality(networks: tuple[NetworkFigures, ...]) -> str:
    rows = []
    for network in networks:
        found = network.finality
        times = (found.p50, found.p95, found.p99, found.most) if found is not None else ()
        checked = f"{network.accepted} of {network.sampled}" if network.sampled else "-"
        rows.append(
            [
                network.name,
                *(f"{seconds * 1000:,.0f}" for seconds in times),
                *[""] * (4 - len(times)),
                str(found.count if found else 0),
                "yes" if network.agree else "NO",
                checked,
            ]
        )
    return format_table(
        ("network", "finality p50 ms", "p95", "p99", "most", "of", "one hash", "accepted"), rows
    )


def _format_parts(networks: tuple[NetworkFigures, ...]) -> str:
    """Where the time to finality goes: p50 and p95 of each part, one after the other."""
    names = list(dict.fromkeys(name for network in networks for name in network.parts))
    rows = [
        [
            network.name,
            *(
                f"{network.parts[name].p50 * 1000:,.1f} / {network.parts[name].p95 * 1000:,.1f}"
                for name in names
            ),
        ]
        for network in networks
        if network.parts
    ]
    return format_table(("finality, ms p50 / p95", *names), rows)


def _list_limits(report: Report) -> Iterator[str]:
    for limit in report.limits:
        yield (
            f"limit, {limit.messages} a transaction: kvstore {limit.peer_per_s:,.1f} tx/s and "
            f"{report.plan.validators} checks of {limit.check_us:,.0f} us over "
            f"{min(report.machine.cores, report.plan.validators)} cores: "
            f"{limit.limit_per_s:,.1f} tx/s"
        )
    yield from (format_ratio(each) for each in report.ratios)
    for other in report.elsewhere:
        extremes = f"{other.least:,g}" + (f" to {other.most:,g}" * (other.most > other.least))
        yield f"  B4 elsewhere, for the record: {other.name}: {extremes} {other.unit}"


def _list_profile(profile: NodeProfile) -> Iterator[str]:
    yield f"where {profile.cpu_s:.1f} s of the nodes' processor time went"
    yield "threads: " + ", ".join(
        f"{name} {share:.0%}" for name, share in profile.threads.items() if share >= 0.005
    )
    for title, shares in (("own time", profile.own), ("with what it calls", profile.total)):
        rows = [[f"{s.own:.1%}", f"{s.total:.1%}", s.function] for s in shares]
        yield f"by {title}:"
        yield format_table(("own", "total", "function"), rows)
