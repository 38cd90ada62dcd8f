"""What `hansa food-trace` can do beyond its messages: check, capture, trace, recall, label.

Imports documents (lxml, vocabularies) only when a command runs, so that help stays instant.
"""

from hansa.appkit.command import Command, Door, Option


def _check(door: Door, files: tuple[str, ...]) -> int:
    from hansa.apps.food_trace.commands.check import check_documents

    return check_documents(door, files)


def _capture(door: Door, files: tuple[str, ...], hide: bool, atomic: bool) -> int:
    from hansa.apps.food_trace.commands.capture import capture_files

    return capture_files(door, files, hide=hide, atomic=atomic)


def _trace(door: Door, items: tuple[str, ...]) -> int:
    from hansa.apps.food_trace.commands.tracing import trace_items

    return trace_items(door, items)


def _recall(door: Door, **options: object) -> int:
    from hansa.apps.food_trace.commands.tracing import recall_items

    return recall_items(door, **options)  # type: ignore[arg-type]


def _lineage(door: Door, item: str, up: str, down: str, check: bool) -> int:
    from hansa.apps.food_trace.commands.lineage import show_lineage

    return show_lineage(door, item, up, down, check=check)


def _label(door: Door, item: str, base: str | None, svg: str | None) -> int:
    from hansa.apps.food_trace.commands.label import show_label

    return show_label(door, item, base, svg)


_CHECK_HELP = """Check EPCIS files against the standard: JSON-LD and XML, documents and events.

Reports every broken rule with its id, flag and place. Needs no league and no network.

Exit code: 0 all valid; 1 at least one is invalid; 2 none is invalid, but at least one could not be
read or judged.

\b
Examples:
  hansa food-trace check events.jsonld
  hansa food-trace check day/*.xml --json
"""

_CAPTURE_HELP = """Capture EPCIS events: files in JSON-LD or XML, in bulk.

Each file is a capture document or one event. What is valid is captured under your signature, 500
events at most in one transaction, each for itself; with --atomic all of a file or nothing of it.
Waits for the ledger's answer on each event. Files may have up to 32 MiB.

Run it again after an interruption: what was captured is not captured twice.

With --hide the partners of the events (sources, destinations, business transactions) go to the
ledger as salted commitments. What they were lies in your vault: `hansa vault export ENTRY` gives
the opening to whom it concerns. The trail stays complete, and can be proved to be.

Exit code: 0 all captured; 1 something is invalid or was refused; 2 some file could not be read.

\b
Examples:
  hansa food-trace capture events.jsonld --as farm
  hansa food-trace capture day/*.xml --as processor --hide
"""

_TRACE_HELP = """What something was made of, back to its origins.

ITEM is an EPC (urn:epc:…), a GS1 Digital Link, or the form 01.<gtin>.10.<lot>.

\b
Examples:
  hansa food-trace trace urn:epc:class:lgtin:9523000.000004.L000001
  hansa food-trace trace 01.09523000000048.10.L000001 --json
"""

_RECALL_HELP = """What a recall reaches, and who has it: lots, objects and units by holder.

Names items, or --recall ID of a recall that is open. Nothing is recalled by asking: to open one,
see `open-recall`. The digest is the same at every node at the same height.

\b
  seen    an amount of the lot was handled there
  here    the object was last there
  inside  the unit is there, and something recalled is in it
  ended   the object was used up, sold or destroyed there

\b
Examples:
  hansa food-trace recall urn:epc:class:lgtin:9521000.000003.L000001
  hansa food-trace recall --recall R-2026-7 --csv recall.csv
"""

_LINEAGE_HELP = """The lineage of an item as a tree: what it was made of, and what was made of it.

With --check also fetches every step of the item and folds their digests: they are all there when
the result is the head that the ledger has for the item (`hansa food-trace show item ITEM`).

\b
Examples:
  hansa food-trace lineage 01.09523000000048.10.L000001 --up 3 --down 2
  hansa food-trace lineage https://id.gs1.org/01/09523000000048/10/L000001 --check
"""

_LABEL_HELP = """What a consumer reads of an item, and its Digital Link as a QR code.

--base is the address of the console that shows labels; without it the link is that of GS1.

\b
Examples:
  hansa food-trace label 01.09523000000048.10.L000001
  hansa food-trace label 01.09523000000048.10.L000001 --base https://food.example --svg label.svg
"""

_ITEM = Option("item", "The item.", is_argument=True, required=True)

COMMANDS = (
    Command(
        name="check",
        help=_CHECK_HELP,
        run=_check,
        options=(Option("files", "EPCIS files.", is_argument=True, many=True, required=True),),
        needs_league=False,
    ),
    Command(
        name="capture",
        help=_CAPTURE_HELP,
        run=_capture,
        options=(
            Option("files", "Files of events.", is_argument=True, many=True, required=True),
            Option("hide", "Partners as commitments; what they are stays in the vault.", flag=True),
            Option("atomic", "All events of a file, or none.", flag=True),
        ),
    ),
    Command(
        name="trace",
        help=_TRACE_HELP,
        run=_trace,
        options=(Option("items", "Items.", is_argument=True, many=True, required=True),),
        needs_key=False,
    ),
    Command(
        name="recall",
        help=_RECALL_HELP,
        run=_recall,
        options=(
            Option("items", "Items.", is_argument=True, many=True),
            Option("recall", "A recall that is on the ledger."),
            Option("csv", "Also write the list to this file (- for standard output)."),
        ),
        needs_key=False,
    ),
    Command(
        name="lineage",
        help=_LINEAGE_HELP,
        run=_lineage,
        options=(
            _ITEM,
            Option("up", "How many makings back.", default="6"),
            Option("down", "How many makings on.", default="6"),
            Option("check", "Check that no step of the item is missing.", flag=True),
        ),
        needs_key=False,
    ),
    Command(
        name="label",
        help=_LABEL_HELP,
        run=_label,
        options=(
            _ITEM,
            Option("base", "Address under which labels are shown."),
            Option("svg", "Write the QR code to this file."),
        ),
        needs_key=False,
    ),
)
