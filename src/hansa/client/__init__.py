"""What a user of the ledger holds: keys, transactions, trust roots, offline verifier. No node."""
