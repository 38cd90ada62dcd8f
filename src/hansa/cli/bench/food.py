"""`hansa bench food`: a read model of a million events is filled and asked; capture is counted.

Works in the folder that it is given, and in a database if one is named.
"""

from collections.abc import Callable
from pathlib import Path

from hansa.cli.bench.circumstances import Beginning
from hansa.cli.bench.food_capture import measure_capture
from hansa.cli.bench.food_index import FoodModel
from hansa.cli.bench.food_report import FoodPlan, FoodReport


def conduct_food(
    folder: Path, command: str, plan: FoodPlan, tell: Callable[[str], None]
) -> FoodReport:
    """Measure. Raises BenchFault, IndexFault."""
    beginning = Beginning()
    capture = None
    if plan.capture_blocks:
        tell("capture of events beside invoices")
        capture = measure_capture(folder, plan.capture_blocks)
    model = FoodModel(plan.database or f"sqlite:///{folder}/food.sqlite")
    try:
        filled = model.fill(plan.events, tell)
        questions = model.ask(plan.questions, tell)
    finally:
        model.close()
    return FoodReport(
        **beginning.end(folder, command),
        filled=filled,
        questions=questions,
        capture=capture,
    )
