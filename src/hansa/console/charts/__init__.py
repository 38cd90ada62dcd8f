"""Pictures from the server: SVG in words of the reader, each with a table that says the same.
Pure functions; nothing here knows the API, a request or a template.
"""

from hansa.console.charts.bars import Bar, draw_bars
from hansa.console.charts.curve import Limits, Point, draw_curve
from hansa.console.charts.figure import ENGLISH, ChartWords, FormatCount, FormatTime, Frame, Grain
from hansa.console.charts.lineage import LineageView, draw_lineage
from hansa.console.charts.pruning import Link, Node
from hansa.console.charts.scales import format_time_plainly
from hansa.console.charts.tally import draw_tally
from hansa.console.charts.throughput import BlockLoad, draw_throughput
from hansa.console.charts.timeline import Step, draw_timeline

__all__ = [
    "ENGLISH",
    "Bar",
    "BlockLoad",
    "ChartWords",
    "FormatCount",
    "FormatTime",
    "Frame",
    "Grain",
    "Limits",
    "LineageView",
    "Link",
    "Node",
    "Point",
    "Step",
    "draw_bars",
    "draw_curve",
    "draw_lineage",
    "draw_tally",
    "draw_throughput",
    "draw_timeline",
    "format_time_plainly",
]
