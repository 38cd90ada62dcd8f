"""What waits for members and regulators: home pages show it. Pure."""

from hansa.appkit.waiting import Waiting

WAITING = (
    Waiting("recalls_open", "recalls", where=(("status", "OPEN"),), is_urgent=True),
    Waiting(
        "shipments_overdue",
        "shipments",
        where=(("status", "OVERDUE"),),
        messages=("ReportMissing",),
        is_urgent=True,
    ),
    Waiting(
        "flags_to_judge",
        "flags",
        where=(("status", "OPEN"),),
        role="food_trace.regulator",
        scope="jurisdiction",
        messages=("ClearFlag", "ReleaseItem"),
        is_urgent=True,
    ),
    Waiting("shipments_on_the_way", "shipments", where=(("status", "IN_TRANSIT"),)),
)
