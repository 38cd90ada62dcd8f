"""Pictures: what a record says stays text, totals are right, limits are exact, and neither nothing
nor very much breaks them.
"""

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from hansa.console.charts import (
    Bar,
    BlockLoad,
    ChartWords,
    Frame,
    Limits,
    LineageView,
    Link,
    Node,
    Point,
    Step,
    draw_bars,
    draw_curve,
    draw_lineage,
    draw_tally,
    draw_throughput,
    draw_timeline,
)
from hansa.console.charts.curve import POINTS_MAX, SCALE_MAX, format_exact, is_outside
from hansa.console.charts.figure import ROWS_MAX, estimate_width, shorten, shorten_middle
from hansa.console.charts.markup import add_link, clean, new
from hansa.console.charts.scales import (
    TIME_MAX,
    TIME_MIN,
    choose_ticks,
    choose_time_ticks,
    choose_whole_ticks,
    format_time_plainly,
)
from hansa.console.charts.throughput import STRETCHES_MAX, sum_stretches
from hansa.console.charts.timeline import LANES_MAX, STEPS_MAX

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></svg><script>alert(1)</script>",
    "javascript:alert(1)",
    "]]><!--<svg onload=alert(1)>",
    "&lt;b&gt; & {{ 7 * 7 }}",
    "\x00\x1b[31m\u202egnp.exe\ud800",
    "한" * 5_000,
)
SVG = "{http://www.w3.org/2000/svg}"
FRAME = Frame(name="figure", title="Title", description="What it shows")
Draw = Callable[[str], Markup]


def draw_all(text: str) -> dict[str, Markup]:
    """Every picture with `text` wherever text can be, as a link too."""
    frame = Frame(name="figure", title=text, description=text, words=ChartWords(table=text))
    return {
        "bars": draw_bars(frame, (text, "b"), [Bar(text, (3, 1), text, text)], head=text),
        "throughput": draw_throughput(
            frame, [BlockLoad(1, 0, 1, 1)], format_time=lambda _ms, _grain: text
        ),
        "lineage": draw_lineage(
            frame,
            [
                Node(id=text, title=text, subtitle=text, href=text, note=text, mark="flagged"),
                Node(id="b", title=text, kind="lot"),
            ],
            [Link(text, "b")],
            LineageView(focus=text, expand=lambda _node: text),
        ),
        "timeline": draw_timeline(
            frame,
            [Step(time_ms=1, lane=text, place=text, title=text, detail=text, href=text)],
        ),
        "curve": draw_curve(
            frame,
            [Point(time_ms=0, low=(1, 0), high=(1, 0), sensor=text)],
            Limits((0, 0), (9, 0)),
            unit=text,
        ),
    }


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_text_stays_text_and_leads_nowhere(attack: str) -> None:
    for markup in draw_all(attack).values():
        tree = ElementTree.fromstring(str(markup))
        for element in tree.iter():
            assert element.tag.removeprefix(SVG) not in ("script", "img", "b", "style")
            assert not any(name.startswith("on") or name == "style" for name in element.attrib)
            assert element.get("href") is None
        assert "{{" not in attack or "{{ 7 * 7 }}" in str(markup)
        str(markup).encode()


def test_only_links_within_this_site_become_links() -> None:
    parent = new("svg")
    for href in ("/food/1", "?open=x", "#a"):
        assert add_link(parent, href).get("href") == href
    for href in ("//evil.example", "/\\evil.example", "https://x", "data:x", "/a b", "", "/a\n"):
        assert add_link(parent, href).tag == "g"


@pytest.mark.parametrize("name", list(draw_all("x")))
def test_each_picture_has_title_description_and_a_table(name: str) -> None:
    tree = ElementTree.fromstring(str(draw_all("a word")[name]))
    pictures = [each for each in tree.iter(f"{SVG}svg") if each.get("class") == "picture"]
    assert len(pictures) == 1
    ids = {each.get("id"): each.text for each in pictures[0]}
    named = (pictures[0].get("aria-labelledby") or "").split()
    assert [ids[each] for each in named] == ["a word", "a word"]
    table = tree.find(".//table")
    assert table is not None
    heads = [each.text for each in table.findall("thead/tr/th")]
    rows = table.findall("tbody/tr")
    assert rows
    assert all(len(row) == len(heads) for row in rows)
    assert [cell.get("data-label") for cell in rows[0]] == heads


def test_without_data_a_picture_says_so() -> None:
    for markup in (
        draw_bars(FRAME, ("a",), []),
        draw_bars(FRAME, (), []),
        draw_throughput(FRAME, []),
        draw_lineage(FRAME, [], [], LineageView(focus="")),
        draw_timeline(FRAME, []),
        draw_curve(FRAME, [], Limits()),
    ):
        assert FRAME.words.empty in markup
        assert "<svg" not in markup


def read_table(markup: Markup) -> list[list[str]]:
    rows = ElementTree.fromstring(str(markup)).findall(".//tbody/tr")
    return [[cell.text or "" for cell in row] for row in rows]


def test_bars_tell_parts_and_total_of_each_bar() -> None:
    bars = [Bar("2026-01", (3, 4, 0)), Bar("2026-02", (0, 0, 0)), Bar("2026-03", (10, -4, 1))]
    markup = draw_bars(FRAME, ("a", "b", "c"), bars)
    assert read_table(markup) == [
        ["2026-01", "3", "4", "0", "7"],
        ["2026-02", "0", "0", "0", "0"],
        ["2026-03", "10", "-4", "1", "7"],
    ]


def test_parts_of_a_bar_stand_on_each_other_and_credits_hang_down() -> None:
    markup = draw_bars(FRAME, ("a", "b", "c"), [Bar("x", (30, 20, -10))])
    tree = ElementTree.fromstring(str(markup))
    parts = {
        each.get("class"): (float(each.get("y") or 0), float(each.get("height") or 0))
        for each in tree.iter(f"{SVG}rect")
        if each.get("width") != "12"
    }
    (a, a_high), (b, b_high), (c, c_high) = parts["s0"], parts["s1"], parts["s2"]
    assert b + b_high == pytest.approx(a, abs=0.2)
    assert c == pytest.approx(a + a_high, abs=0.2)
    assert a_high == pytest.approx(3 * c_high, abs=0.3)
    assert b_high == pytest.approx(2 * c_high, abs=0.3)


def test_a_bar_with_another_number_of_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="one part"):
        draw_bars(FRAME, ("a",), [Bar("x", (1, 2))])


def test_bars_far_beyond_any_float_are_told_exactly() -> None:
    huge = 10**30 + 1
    assert read_table(draw_bars(FRAME, ("a",), [Bar("x", (huge,))])) == [["x", str(huge)]]


def test_a_thousand_bars_draw_the_latest_and_say_what_is_left_out() -> None:
    bars = [Bar(f"m{at}", (at,)) for at in range(1_000)]
    markup = draw_bars(FRAME, ("a",), bars)
    assert read_table(markup)[-1] == ["m999", "999"]
    assert len(read_table(markup)) == ROWS_MAX


def test_throughput_counts_each_message_once_and_idle_time_too() -> None:
    blocks = [BlockLoad(at, at * 7_000, 2, 5) for at in range(400)]
    blocks.append(BlockLoad(400, 30_000_000, 1, 1))
    stretches = sum_stretches(blocks)
    assert sum(each.messages for each in stretches) == 2_001
    assert sum(each.blocks for each in stretches) == 401
    assert len(stretches) <= STRETCHES_MAX
    assert any(each.blocks == 0 for each in stretches)
    starts = [each.start_ms for each in stretches]
    assert starts == list(range(starts[0], starts[-1] + 1, stretches[0].length_ms))


def test_throughput_of_centuries_stays_one_picture() -> None:
    stretches = sum_stretches([BlockLoad(1, 0, 1, 1), BlockLoad(2, TIME_MAX, 1, 1)])
    assert len(stretches) <= STRETCHES_MAX + 1


def test_a_reading_on_the_limit_is_within_and_the_least_beyond_is_not() -> None:
    limits = Limits((0, 0), (70, 1))

    def judge(low: tuple[int, int], high: tuple[int, int]) -> bool:
        return is_outside(Point(time_ms=0, low=low, high=high), limits)

    assert not judge((0, 3), (7, 0))
    assert judge((0, 0), (7 * 10**20 + 1, 20))
    assert judge((-1, 20), (0, 0))
    assert not is_outside(Point(time_ms=0, low=(-999, 0), high=(1, 0)), Limits(None, (1, 0)))


def test_an_exact_reading_is_written_as_it_came() -> None:
    values = [(250, 2), (-5, 1), (5, 3), (-250, 0), (0, 2)]
    assert [format_exact(each) for each in values] == ["2.50", "-0.5", "0.005", "-250", "0.00"]


def test_one_hot_reading_among_twenty_thousand_is_seen() -> None:
    points = [
        Point(time_ms=at * 1_000, low=(4, 0), high=(4, 0), sensor="a") for at in range(20_000)
    ]
    points[6_180] = Point(time_ms=6_180_000, low=(90, 1), high=(90, 1), sensor="a")
    markup = draw_curve(FRAME, points, Limits((0, 0), (8, 0)))
    tree = ElementTree.fromstring(str(markup))
    assert len([each for each in tree.iter(f"{SVG}g") if each.get("class") == "excursion"]) == 1
    assert len(markup) < 300_000
    first = read_table(markup)[0]
    assert first == ["1970-01-01 01:43", "a", "9.0", "9.0", FRAME.words.outside]
    curve = next(each for each in tree.iter(f"{SVG}path") if "curve" in (each.get("class") or ""))
    assert (curve.get("d") or "").count("L") <= POINTS_MAX


def test_each_run_outside_the_limits_is_marked_once() -> None:
    heats = [4, 9, 10, 4, 4, -3, 4]
    points = [
        Point(time_ms=at * 60_000, low=(heat, 0), high=(heat, 0)) for at, heat in enumerate(heats)
    ]
    markup = draw_curve(FRAME, points, Limits((0, 0), (8, 0)))
    tree = ElementTree.fromstring(str(markup))
    runs = [each.findtext(f"{SVG}title") for each in tree.iter(f"{SVG}g")]
    assert runs == [
        "1970-01-01 00:01 – 1970-01-01 00:02: 9 … 10 °C",
        "1970-01-01 00:05: -3 °C",
    ]


def test_a_scale_that_no_reading_has_is_refused() -> None:
    with pytest.raises(ValueError, match="scale"):
        draw_curve(FRAME, [Point(time_ms=0, low=(1, SCALE_MAX + 1), high=(1, 0))], Limits())


def test_a_time_line_is_in_order_of_time_whatever_order_it_came_in() -> None:
    steps = [Step(time_ms=at * 10**8, lane=f"{at}", place=f"p{at}", title="x") for at in range(5)]
    assert draw_timeline(FRAME, steps) == draw_timeline(FRAME, list(reversed(steps)))


def test_places_of_the_same_shown_name_keep_their_own_lanes() -> None:
    steps = [
        Step(time_ms=at * 10**8, lane=lane, place="hidden", title="x")
        for at, lane in enumerate(("a", "b", "a"))
    ]
    tree = ElementTree.fromstring(str(draw_timeline(FRAME, steps)))
    heights = [each.get("cy") for each in tree.iter(f"{SVG}circle")]
    assert heights[0] == heights[2] != heights[1]


def test_thousands_of_steps_stay_one_picture() -> None:
    steps = [
        Step(time_ms=at * 1_000, lane=f"{at % 90}", place=f"p{at % 90}", title="t")
        for at in range(5_000)
    ]
    tree = ElementTree.fromstring(str(draw_timeline(FRAME, steps)))
    lanes = [each for each in tree.iter(f"{SVG}line") if each.get("class") == "lane"]
    assert len(lanes) == LANES_MAX
    assert len(list(tree.iter(f"{SVG}circle"))) <= STEPS_MAX


@pytest.mark.parametrize("time_ms", [0, -(10**17), 10**17, TIME_MIN, TIME_MAX])
def test_times_outside_any_calendar_are_shown_at_its_edge(time_ms: int) -> None:
    draw_timeline(FRAME, [Step(time_ms=time_ms, lane="a", place="a", title="t")])
    draw_curve(FRAME, [Point(time_ms=time_ms, low=(1, 0), high=(1, 0))], Limits())


@pytest.mark.parametrize("span", [1, 999, 60_000, 86_400_000, 31 * 86_400_000, 10**12, 10**14])
def test_time_ticks_are_few_rising_and_within(span: int) -> None:
    start = 1_767_225_600_000
    ticks, _grain = choose_time_ticks(start, start + span)
    assert len(ticks) <= 8
    assert ticks == sorted(set(ticks))
    assert all(start <= tick <= start + span for tick in ticks)


def test_ticks_are_round_and_cover_the_values() -> None:
    for low, high in ((0, 7), (-3, 12), (0, 10**18), (5, 5), (0.001, 0.0042)):
        ticks = choose_ticks(low, high)
        assert ticks[0] <= low
        assert ticks[-1] >= high
        assert len(ticks) <= 12
    assert all(isinstance(each, int) for each in choose_whole_ticks(0, 3))


def test_a_shortened_text_fits_and_keeps_what_tells_it_apart() -> None:
    for text in ("a plain text that is long", "檸檬火腿檸檬火腿檸檬火腿", "MMMMMMMMMMMMMMMM"):
        assert estimate_width(shorten(text, 80, 13), 13) <= 82
        assert estimate_width(shorten_middle(text, 80, 13), 13) <= 82
    assert shorten_middle("00340123453111111115", 90, 13).endswith("15")
    assert shorten("short", 200, 13) == shorten_middle("short", 200, 13) == "short"


def test_what_cannot_be_shown_becomes_a_sign() -> None:
    assert clean("a\x00b\u202ec\ud800d\n") == "a\ufffdb\ufffdc\ufffdd\n"


def test_plain_times_are_iso() -> None:
    ms = 1_767_225_661_000
    grains = ("year", "month", "day", "minute", "second", "clock")
    assert [format_time_plainly(ms, grain) for grain in grains] == [  # type: ignore[arg-type]
        "2026",
        "2026-01",
        "2026-01-01",
        "2026-01-01 00:01",
        "2026-01-01 00:01:01",
        "00:01:01",
    ]


def test_a_tally_tells_weights_and_marks_where_it_passes() -> None:
    labels = ("Yes", "No", "Not voted", "Passes at")
    markup = draw_tally(FRAME, labels, yes=3, no=2, total=10, needed=7)
    assert read_table(markup) == [["Yes", "3"], ["No", "2"], ["Not voted", "5"], ["Passes at", "7"]]
    tree = ElementTree.fromstring(str(markup))
    widths = [float(each.get("width") or 0) for each in tree.iter(f"{SVG}rect")]
    assert widths == pytest.approx([144, 96, 240])
    line = next(tree.iter(f"{SVG}line"))
    assert float(line.get("x1") or 0) == pytest.approx(336)
    assert "<rect" not in draw_tally(FRAME, labels, yes=0, no=0, total=0, needed=0)


def test_ticks_stand_where_the_readers_clock_is_round() -> None:
    zone_ms = 8 * 3_600_000
    day = 86_400_000
    ticks, grain = choose_time_ticks(0, 5 * day, zone_ms=zone_ms)
    assert grain == "day"
    assert all((tick + zone_ms) % day == 0 for tick in ticks)
    stretches = sum_stretches([BlockLoad(1, 0, 1, 1), BlockLoad(2, 40 * day, 1, 1)], zone_ms)
    assert all((each.start_ms + zone_ms) % each.length_ms == 0 for each in stretches)
