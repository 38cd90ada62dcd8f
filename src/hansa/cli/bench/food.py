"""`hansa bench food`: a read model of a million events is filled and asked; capture is counted.

Works in the folder that it is given, and in a database if one is named.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hansa.cli.bench.food_capture import measure_capture
from hansa.cli.bench.food_index import FoodModel
from hansa.cli.bench.food_report import FoodPlan, FoodReport
from hansa.cli.bench.machine import describe_machine, list_versions, read_load
from hansa.comet.install import ENGINE


def conduct_food(
    folder: Path, command: str, plan: FoodPlan, tell: Callable[[str], None]
) -> FoodReport:
    """Measure. Raises BenchFault, IndexFault."""
    began, started, before = datetime.now(UTC), time.monotonic(), read_load()
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
        command=command,
        began=began.isoformat(timespec="seconds"),
        took_s=time.monotonic() - started,
        machine=describe_machine(folder),
        versions=list_versions(ENGINE),
        load_before=before,
        load_after=read_load(),
        filled=filled,
        questions=questions,
        capture=capture,
    )
