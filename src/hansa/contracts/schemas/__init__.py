"""Schemas of credentials and records: content-addressed, versioned, never changed.

Rules and words: `model`, `rejections`. Handlers: `handlers`. There are none at genesis.
"""
