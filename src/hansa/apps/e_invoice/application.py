"""The application as the catalog lists it: contract, records, events, rejections, rules, tables."""

from hansa.appkit.application import Application, Doors, collect_rejections
from hansa.appkit.files import FileReader, build_file_route
from hansa.apps.e_invoice.commands import COMMANDS
from hansa.apps.e_invoice.contract import contract
from hansa.apps.e_invoice.documents.forms import read_for_form
from hansa.apps.e_invoice.invariants import INVARIANTS
from hansa.apps.e_invoice.model import EVENTS, RECORDS
from hansa.apps.e_invoice.pages import FIELDS, KEY_RULES, LIFECYCLES
from hansa.apps.e_invoice.rejections import Refusal
from hansa.apps.e_invoice.views import TABLES, WAITING

FILES = (FileReader("IssueInvoice", ".xml,.zip", read_for_form),)

APPLICATION = Application(
    name="e_invoice",
    title="Electronic invoices",
    contract=contract,
    records=RECORDS,
    events=EVENTS,
    rejections=collect_rejections(Refusal),
    invariants=INVARIANTS,
    tables=TABLES,
    commands=COMMANDS,
    lifecycles=LIFECYCLES,
    fields=FIELDS,
    files=FILES,
    doors=Doors(routes=tuple(map(build_file_route, FILES))),
    key_rules=KEY_RULES,
    waiting=WAITING,
)
