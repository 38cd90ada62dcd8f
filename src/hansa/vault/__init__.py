"""Private content that stays with its owner, encrypted under a key per record; erasing destroys it.

Start at `vault.py` (`Vault.open`). May import crypto, encoding and primitives; the chain only ever
sees a commitment (`commitment.py`, D8, I7).
"""
