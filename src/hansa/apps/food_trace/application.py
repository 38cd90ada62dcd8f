"""The application as the catalog lists it: contract, records, events, rejections, rules, tables."""

import msgspec

from hansa.appkit.application import Application, collect_rejections
from hansa.appkit.files import FileReader, build_file_route
from hansa.apps.food_trace.commands import COMMANDS
from hansa.apps.food_trace.contract import contract
from hansa.apps.food_trace.documents.forms import read_for_form
from hansa.apps.food_trace.faults import DocumentFault
from hansa.apps.food_trace.invariants import INVARIANTS
from hansa.apps.food_trace.key_rules import KEY_RULES
from hansa.apps.food_trace.model import EVENTS, RECORDS
from hansa.apps.food_trace.pages import FIELDS, LIFECYCLES
from hansa.apps.food_trace.routes import DOORS
from hansa.apps.food_trace.views import TABLES
from hansa.apps.food_trace.views.waiting import WAITING

FILES = (FileReader("CaptureEvent", ".json,.jsonld,.xml", read_for_form),)

APPLICATION = Application(
    name="food_trace",
    title="Food tracing",
    contract=contract,
    records=RECORDS,
    events=EVENTS,
    rejections=collect_rejections(DocumentFault),
    invariants=INVARIANTS,
    tables=TABLES,
    waiting=WAITING,
    commands=COMMANDS,
    lifecycles=LIFECYCLES,
    fields=FIELDS,
    key_rules=KEY_RULES,
    doors=msgspec.structs.replace(DOORS, routes=(*DOORS.routes, *map(build_file_route, FILES))),
    files=FILES,
)
