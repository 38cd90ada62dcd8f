"""Words for codes: translations live here, never on the ledger."""
