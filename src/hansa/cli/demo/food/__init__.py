"""A model food chain, from farm to shop, as EPCIS events: for demo, measurement and tests. Pure.

Everything in it is invented: GS1 prefix 952, which GS1 keeps for examples.
"""
