"""DIDs as pure data and checks. Knows nothing of the ledger; time and salt are arguments."""
