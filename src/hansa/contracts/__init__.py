"""The system contracts of every league: who is in it, who may do what, who decides.

Each has the same rooms: `model` (rules and words), `handlers`, `invariants`, `genesis`. They import
the ledger and identity, never an application. Start with `members/model.py`.
"""
