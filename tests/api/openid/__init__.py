"""Doors for wallets, tried over HTTP by a wallet that shares no code with them."""
