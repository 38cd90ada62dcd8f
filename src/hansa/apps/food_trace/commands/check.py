"""`hansa food-trace check FILE…`: every broken rule of every file. Reads files, nothing else."""

from collections.abc import Sequence

import msgspec

from hansa.appkit.command import Door
from hansa.apps.food_trace.documents.check import check_files, format_report


def check_documents(door: Door, files: Sequence[str]) -> int:
    """Judge files as they come; 0 all valid, 1 some invalid, 2 none but some not judged."""
    reports = []
    for report in check_files(files):
        reports.append(report)
        for line in format_report(report):
            door.output.line(line)
    door.output.document(msgspec.to_builtins(reports))
    verdicts = {report.verdict for report in reports}
    if "invalid" in verdicts:
        return 1
    return 2 if "unjudged" in verdicts else 0
