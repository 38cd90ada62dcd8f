"""EPCIS documents of the outside world: read from JSON-LD and XML, checked, made normal, written.

Start at `importers.py` (bytes as normal events) and `check.py` (what is wrong with a file). Pure:
takes bytes, touches nothing. The contract never imports from here.
"""
