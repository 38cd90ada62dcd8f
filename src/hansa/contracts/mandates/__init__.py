"""Mandates: who may act for whom, for what, up to what, until when; ended at once.

Rules and words: `model`. Handlers: `handlers`. There are none at genesis.
"""
