"""Addresses of food tracing under `/food-trace/…`: the EPCIS 2.0 doors, and `trace`."""

from hansa.appkit.route import Doors
from hansa.apps.food_trace.routes import trace
from hansa.apps.food_trace.routes.epcis import addresses
from hansa.apps.food_trace.routes.epcis.problems import explain

DOORS = Doors(
    routes=(*trace.ROUTES, *addresses.ROUTES),
    duties=addresses.DUTIES,
    explain=explain,
)
