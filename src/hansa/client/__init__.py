"""What a user of the ledger holds: keys, transactions, trust roots and the offline verifier. Needs no node."""
