"""Who may read whose data: grants, consent and its withdrawal, accesses, break-glass, erasure.

Rules and words: `model`. Content itself never comes here: it stays in the vaults (D8).
"""
