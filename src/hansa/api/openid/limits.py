"""Limits of the doors for wallets, each with its reason."""

from typing import Final

# What is asked by a program is answered at once; a person scans and taps in between.
NONCE_MS: Final = 300_000
TOKEN_MS: Final = 600_000
CODE_MS: Final = 120_000
PUSHED_MS: Final = 600_000
# An offer may go by letter; a request is scanned while somebody waits.
OFFER_MS_MAX: Final = 30 * 86_400_000
OFFER_MS: Final = 86_400_000
REQUEST_MS_MAX: Final = 3_600_000
REQUEST_MS: Final = 600_000
# How long what came of it can be read.
KEPT_MS: Final = 600_000
# Of six digits, one in two hundred thousand is guessed.
TX_CODE_TRIES_MAX: Final = 5
# Everything that is remembered, of all offers and requests together.
ENTRIES_MAX: Final = 20_000
# Nonces that were used and are not over yet.
NONCES_MAX: Final = 50_000
FORM_BYTES_MAX: Final = 64_000
CLAIMS_BYTES_MAX: Final = 64_000
# Seconds between two questions for a credential that somebody must approve first.
INTERVAL_S: Final = 5
