"""Food tracing: EPCIS events on the ledger, who had what when, recall and trace-back.

Start with `event`, then `model` and `contract`; `documents` reads and writes EPCIS.
"""

from hansa.apps.food_trace.application import APPLICATION

__all__ = ["APPLICATION"]
