"""What `hansa e-invoice` can do beyond its messages: check, issue, claim. Start with `issue.py`.

Imports the documents (lxml, rule tables) only when a command runs, so that help stays instant.
"""

from hansa.appkit.command import Command, Door, Option


def _check(door: Door, files: tuple[str, ...]) -> int:
    from hansa.apps.e_invoice.commands.check import check_invoices

    return check_invoices(door, files)


def _issue(door: Door, **options: object) -> int:
    from hansa.apps.e_invoice.commands.issue import issue_files

    return issue_files(door, **options)  # type: ignore[arg-type]


def _pseudonym(door: Door, file: str) -> int:
    from hansa.apps.e_invoice.commands.claim import make_pseudonym

    return make_pseudonym(door, file)


def _claim(door: Door, invoice: str, employer: str, key: str) -> int:
    from hansa.apps.e_invoice.commands.claim import claim_invoice

    return claim_invoice(door, invoice, employer, key)


_CHECK_HELP = """Check invoice files against every published rule.

UBL 2.1 invoices and credit notes, CII D16B and the Chinese digital invoice (数电票), whole or in
fragments. Reports every broken rule with its id, flag and place. Needs no league and no network.

Exit code: 0 all valid; 1 at least one is invalid, whatever else; 2 none is invalid, but at least
one could not be read or judged. FILE may be - for standard input; pipes and devices are not read.

\b
Examples:
  hansa e-invoice check invoice.xml
  hansa e-invoice check examples/en16931/*.xml --json
"""

_ISSUE_HELP = """Check invoice files and issue them, in bulk.

Each file is checked by every published rule; what passes is issued under one signature, 500 at
most in one transaction, each for itself. The document goes encrypted into your vault, the ledger
gets a salted commitment and the figures. Waits for the ledger's answer on each.

Run it again after an interruption: what was issued is not issued twice.

Parties: an organisation is named by its tax identifier (SCHEME:VALUE), by a name or DID known
here, and a person by a one-time pseudonym (p:…, see `pseudonym`). Without --seller, --buyer or
--map the document's own identifiers count. The map is a JSON object: from a name or identifier
in the documents to a party.

\b
Examples:
  hansa e-invoice issue invoice.xml --as seller-a
  hansa e-invoice issue *.xml --as seller-a --seller seller-a --buyer buyer
  hansa e-invoice issue *.xml --as seller-a --map parties.json
"""

_PSEUDONYM_HELP = """Make a person's one-time key: the buyer p:… of one invoice.

No invoice names a citizen. The person keeps the FILE and hands the p:… to the seller; with it the
person can later give the invoice to an employer (see claim). Needs no league.

\b
Example:
  hansa e-invoice pseudonym purchase.key.json
"""

_CLAIM_HELP = """Hand a person's invoice to an employer, for reimbursement.

Signed with the one-time key of the purchase; any account may carry the message to the ledger.

\b
Example:
  hansa e-invoice claim INVOICE --employer employer --key purchase.key.json --as employer
"""

COMMANDS = (
    Command(
        name="check",
        help=_CHECK_HELP,
        run=_check,
        options=(Option("files", "Invoice files.", is_argument=True, many=True, required=True),),
        needs_league=False,
    ),
    Command(
        name="issue",
        help=_ISSUE_HELP,
        run=_issue,
        options=(
            Option("files", "Invoice files.", is_argument=True, many=True, required=True),
            Option("seller", "The seller of all of them."),
            Option("buyer", "The buyer of all of them."),
            Option("map", "JSON file: parties of the documents to parties of the ledger."),
        ),
    ),
    Command(
        name="pseudonym",
        help=_PSEUDONYM_HELP,
        run=_pseudonym,
        options=(Option("file", "The new key file.", is_argument=True, required=True),),
        needs_league=False,
    ),
    Command(
        name="claim",
        help=_CLAIM_HELP,
        run=_claim,
        options=(
            Option("invoice", "The invoice's id.", is_argument=True, required=True),
            Option("employer", "The employer: a name or DID.", required=True),
            Option("key", "The person's one-time key file.", required=True),
        ),
    ),
)
