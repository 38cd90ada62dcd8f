"""Addresses of food tracing under `/food-trace/…`: the EPCIS 2.0 doors, and `trace`."""
