"""Invoice documents of the outside world: read, checked by every published rule, made neutral.

Start at `check.py` (what is wrong with a file) and `importers.py` (a file as an InvoiceDocument).
Imports only `document.py`, primitives and libraries; the contract never imports from here.
"""
