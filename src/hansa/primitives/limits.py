"""Every limit of the kernel, each with its reason. Nothing may exceed them; imports nothing."""

# A block must travel between institutions within a second on a modest line.
TRANSACTION_BYTES_MAX = 1_000_000
# 500 invoices are one morning of a bureau; more go into the next transaction.
MESSAGES_MAX = 500
# One message is a form, not a file: files stay in the vault.
MESSAGE_BYTES_MAX = 256_000
# An act of two organisations is usual, of eight is rare, of more is governance.
SIGNERS_MAX = 8
# Integers that every JSON reader agrees on (RFC 8785, I-JSON): |n| < 2**53.
INTEGER_MAX = 2**53 - 1
# Deeper nesting than a form has is an attack on parsers.
DEPTH_MAX = 16
# A record is read whole at each change; larger content belongs to the vault.
RECORD_BYTES_MAX = 128_000
# Heights for which a transaction may wait, and for which its id is remembered (D3).
EXPIRY_WINDOW = 10_000
# Transactions of one block: bounds the work and the memory of one step.
BLOCK_TRANSACTIONS_MAX = 5_000
# Bytes of one block: the part-set and the network carry it in 64 KiB pieces.
BLOCK_BYTES_MAX = 4_000_000
# Deadlines fired at the start of one block; the rest fire in the next (D17).
DEADLINES_PER_BLOCK_MAX = 200
# Records that one scan of a handler may return (D20).
SCAN_MAX = 1_000
# Events of one message: each is hashed and stored.
EVENTS_MAX = 64
# Identifier of a record: one state key must fit a storage key (LMDB: 511 bytes).
KEY_BYTES_MAX = 400
# One part of a record's identifier.
KEY_PART_MAX = 128
# Human text in a message (name, reason code): enough for any organisation's name.
TEXT_MAX = 500
# Parameters that a rejection carries into its receipt.
PARAMS_MAX = 8
PARAM_TEXT_MAX = 200
# Old blocks' ids pruned at the start of one non-empty block.
PRUNE_PER_BLOCK_MAX = 64
# Every vote travels to everybody: beyond a hundred, blocks are slow.
VALIDATORS_MAX = 100
# All powers together stay a ledger integer, and far below the engine's own limit (2**63 / 8).
VALIDATOR_POWER_MAX = 1_000_000_000
