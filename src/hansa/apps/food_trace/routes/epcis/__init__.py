"""The EPCIS 2.0 REST binding under `/food-trace/epcis/…`. Start at `addresses.py`.

Source of names and forms: GS1 EPCIS 2.0 clause 12 and its OpenAPI document. Only through the desk.
"""
