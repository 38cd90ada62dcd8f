"""Evidence: that a document was there at a time, and who stands by it, without showing it.

Rules and words: `model`. Handlers: `handlers`. There is none at genesis.
"""
