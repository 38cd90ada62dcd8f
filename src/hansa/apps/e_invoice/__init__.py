"""Electronic invoices: issue, deliver, reimburse once, credit; checked by EN 16931 at the door.

Start with `model`, then `contract`; `documents` reads the files of the outside world.
"""

from hansa.apps.e_invoice.application import APPLICATION

__all__ = ["APPLICATION"]
