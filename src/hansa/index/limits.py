"""Every limit of the read model, each with its reason."""

# Rows of one page: a screen shows fifty, a program that wants more asks again.
PAGE_MAX = 200
PAGE_DEFAULT = 50
# Rows that one filtered page may look at: bounds the work that a stranger can ask for.
SCANNED_MAX = 2_000
# Blocks of one SQL transaction while catching up: a commit a block would cost a disk sync each.
BATCH_BLOCKS_MAX = 256
# Transactions of one SQL transaction while catching up: bounds memory.
BATCH_TRANSACTIONS_MAX = 2_000
# Parameters of one statement: SQLite's oldest build-time bound is 999.
STATEMENT_KEYS_MAX = 500
# A database that is away is asked again after this long, doubled each time up to the second.
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 15.0
# Accounts whose member and jurisdiction are remembered between blocks.
IDENTITIES_KEPT = 10_000
# Characters of one text cell of an application's table: PostgreSQL indexes at most 2,700 bytes.
CELL_CHARACTERS_MAX = 600
# Groups of one answer of totals: statuses by months by currencies, not one group a row.
GROUPS_MAX = 1_000
# Records of one SQL transaction when the read model begins with those of a restored node.
OPENING_RECORDS = 5_000
# Links that one closure reads: bounds time and memory where many things meet.
WALK_LINKS_MAX = 400_000
# Links of one path: no food passes a thousand hands; a line of boxes in boxes may be made to.
WALK_DEPTH_MAX = 1_000
# Names in one statement of a walk: as one parameter, so databases' bounds on parameters are far.
WALK_STATEMENT_KEYS = 5_000
# Rows picked by their names: what a closure holds, and a few of each.
PICKED_MAX = 400_000
