"""Draw docs/bench/*.svg from the kept measurements, and the table of rows in docs/bench/README.md.

Run as `tools/plot_bench.py [FOLDER]`. Of each kind the newest document counts. Goals of all rows in
one picture; each document of figures in one of its own; the time to finality cut into its parts.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import Element

import msgspec

from hansa.cli.bench.report import Ratio
from hansa.cli.bench.sheet import format_number
from hansa.console.charts.figure import Frame, estimate_width, open_picture
from hansa.console.charts.markup import add, to_markup

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "bench"
BEGIN, END = "<!-- rows -->", "<!-- end of rows -->"
WIDTH: Final = 900.0
LINE: Final = 26.0
SIZE: Final = 13.0
TOP: Final = 48.0
# Wider bars than so many goals say nothing more.
SHARE_MAX: Final = 2.0
STYLE: Final = (
    ".picture{font:13px system-ui,sans-serif;background:#fff}.picture text{fill:#222}"
    ".yes{fill:#2a7f62}.no{fill:#c05a2b}.bar{fill:#4a78b0}.thin{stroke:#222;stroke-width:1.5}"
    ".goal{stroke:#222;stroke-dasharray:4 3}.head{font-weight:600;font-size:15px}"
    ".s0{fill:#4a78b0}.s1{fill:#e0a030}.s2{fill:#2a7f62}.s3{fill:#c05a2b}"
)


class Line(NamedTuple):
    """A bar: parts of (class, from, to), each a share of the width; a text to its right."""

    label: str
    parts: tuple[tuple[str, float, float], ...]
    text: str
    whisker: tuple[float, float] | None = None


def read_newest(folder: Path) -> dict[str, Any]:
    """The newest document of each kind, by the kind's name (`embedded`)."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.json")):
        document = msgspec.json.decode(path.read_bytes())
        if isinstance(document, dict) and str(document.get("kind")).startswith("hansa.bench."):
            document["file"] = path.name
            name = str(document["kind"]).split("/")[0].removeprefix("hansa.bench.")
            if name not in found or found[name]["began"] <= document["began"]:
                found[name] = document
    return found


def list_ratios(documents: dict[str, Any]) -> list[tuple[Ratio, Any]]:
    """Every ratio that belongs to a row, in the order of the rows, with its document."""
    found = [
        (msgspec.convert(each, Ratio), document)
        for document in documents.values()
        for each in document.get("ratios", ())
        if each.get("row")
    ]
    return sorted(found, key=lambda pair: int(pair[0].row.removeprefix("B")))


def compute_share(ratio: Ratio) -> float:
    """How much of the goal is reached; 1 and more: it is met."""
    if not ratio.ratio:
        return 0.0
    return ratio.goal / ratio.ratio if ratio.at_most else ratio.ratio / ratio.goal


def tell_ratio(ratio: Ratio) -> str:
    """Figure and goal."""
    shown = "not measured" if ratio.ratio is None else format_number(ratio.ratio)
    order = "≤" if ratio.at_most else "≥"
    return f"{shown} ({order} {ratio.goal:g}{' ' if ratio.unit else ''}{ratio.unit})"


def draw_lines(name: str, title: str, lines: Sequence[Line], goal: float | None = None) -> str:
    """A picture of horizontal bars; `goal`: where a line stands, a share of the width."""
    left = 16 + max(estimate_width(line.label, SIZE) for line in lines)
    right = 16 + max(estimate_width(line.text, SIZE) for line in lines)
    width = max(WIDTH, left + right + 300)
    room = width - left - right
    height = TOP + LINE * len(lines) + 12
    frame = Frame(name=name, title=title, description=title)
    svg = open_picture(frame, width, height, has_links=False)
    add(svg, "style", STYLE)
    add(svg, "rect", x=0, y=0, width=width, height=height, fill="#fff")
    add(svg, "text", title, x=12, y=24, class_="head")
    for at, line in enumerate(lines):
        draw_line(svg, line, TOP + LINE * at, left, room)
    if goal is not None:
        x = left + room * goal
        add(svg, "line", x1=x, y1=TOP - 12, x2=x, y2=height - 8, class_="goal")
    return str(to_markup(svg)) + "\n"


def draw_line(svg: Element, line: Line, y: float, left: float, room: float) -> None:
    """One bar with its label, its extremes and its text."""
    add(svg, "text", line.label, x=left - 8, y=y + 12, text_anchor="end")
    for style, begin, end in line.parts:
        length = max(1.0, room * (end - begin))
        add(svg, "rect", x=left + room * begin, y=y, width=length, height=16, class_=style)
    if line.whisker is not None:
        low, high = (left + room * each for each in line.whisker)
        add(svg, "line", x1=low, y1=y + 8, x2=high, y2=y + 8, class_="thin")
    add(svg, "text", line.text, x=left + room + 8, y=y + 12)


def draw_goals(ratios: Sequence[tuple[Ratio, Any]]) -> str:
    """All rows: how much of each goal is reached."""
    lines = []
    for ratio, _document in ratios:
        share = min(compute_share(ratio), SHARE_MAX) / SHARE_MAX
        style = "yes" if ratio.is_met else "no"
        label = f"{ratio.row} {ratio.name}"
        lines.append(Line(label, ((style, 0.0, share),), tell_ratio(ratio)))
    title = "What is reached of each goal (the dashed line; bars end at twice the goal)"
    return draw_lines("goals", title, lines, goal=1 / SHARE_MAX)


def draw_sheet(name: str, document: Any) -> str:
    """Every figure of a sheet; those of one unit share a scale."""
    figures = document["figures"]
    most: dict[str, float] = {}
    for each in figures:
        unit = each["unit"]
        most[unit] = max(most.get(unit, 0.0), each["spread"]["most"])
    lines = []
    for each in figures:
        spread, scale = each["spread"], most[each["unit"]] or 1.0
        whisker = (spread["least"] / scale, spread["most"] / scale)
        text = f"{format_number(spread['median'])} {each['unit']}"
        bar = (("bar", 0.0, spread["median"] / scale),)
        lines.append(Line(each["name"], bar, text, whisker if len(spread["runs"]) > 1 else None))
    when, load = document["began"][:16], document["load_before"]["one"]
    return draw_lines(name, f"{document['title']} ({when}, load before {load})", lines)


def draw_finality(document: Any) -> str | None:
    """The medians of the parts of the time to finality, one after the other."""
    networks = [each for each in document["networks"] if each.get("parts")]
    if not networks:
        return None
    whole = max(sum(part["p50"] for part in each["parts"].values()) for each in networks)
    lines = []
    for each in networks:
        at, parts = 0.0, []
        for index, part in enumerate(each["parts"].values()):
            parts.append((f"s{index}", at / whole, (at + part["p50"]) / whole))
            at += part["p50"]
        told = ", ".join(f"{n} {p['p50'] * 1000:.0f}" for n, p in each["parts"].items())
        lines.append(Line(each["name"], tuple(parts), f"{told} ms"))
    return draw_lines("finality", "Where the time to finality goes (p50 of each part)", lines)


def draw_throughput(document: Any) -> str:
    """Messages a second of every network."""
    loads = [(n["name"], load) for n in document["networks"] for load in n["loads"]]
    most = max(load["messages_per_s"]["most"] for _name, load in loads) or 1.0
    lines = []
    for name, load in loads:
        spread = load["messages_per_s"]
        whisker = (spread["least"] / most, spread["most"] / most)
        lines.append(
            Line(
                f"{name}, {load['messages']} a transaction",
                (("bar", 0.0, spread["median"] / most),),
                f"{format_number(spread['median'])} messages/s",
                whisker if len(spread["runs"]) > 1 else None,
            )
        )
    title = f"{document['plan']['validators']} validators on one machine ({document['began'][:16]})"
    return draw_lines("network", title, lines)


def format_rows(ratios: Sequence[tuple[Ratio, Any]]) -> Iterator[str]:
    """The table of rows in Markdown."""
    yield "| row | what over what | figure (goal) | met | load | command |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for ratio, document in ratios:
        met = {True: "yes", False: "no", None: "–"}[ratio.is_met]
        load = document["load_before"]["one"]
        command = document["command"].partition(" -o ")[0]
        yield (
            f"| {ratio.row} | {ratio.name} | {tell_ratio(ratio)} | {met} | {load} | `{command}`,"
            f" [{document['file']}]({document['file']}) |"
        )


def write_table(readme: Path, rows: Sequence[str]) -> None:
    """Between the two marks of the page, nothing else."""
    text = readme.read_text(encoding="utf-8")
    head, _begin, rest = text.partition(BEGIN)
    _old, end, tail = rest.partition(END)
    if not end:
        sys.exit(f"{readme} has no place for the rows: {BEGIN} … {END}")
    readme.write_text("\n".join([head + BEGIN, *rows, END + tail]), encoding="utf-8")


def main() -> None:
    """Draw all that there is."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    documents = read_newest(folder)
    ratios = list_ratios(documents)
    pictures: dict[str, str | None] = {}
    if ratios:
        pictures["goals"] = draw_goals(ratios)
    for name, document in documents.items():
        if "figures" in document and "title" in document:
            pictures[name] = draw_sheet(name, document)
    if network := documents.get("network"):
        pictures["network"] = draw_throughput(network)
        pictures["finality"] = draw_finality(network)
    for name, picture in pictures.items():
        if picture is not None:
            (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    if (folder / "README.md").exists():
        write_table(folder / "README.md", list(format_rows(ratios)))


if __name__ == "__main__":
    main()
