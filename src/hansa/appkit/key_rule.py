"""A kind's own rule for its identifiers, as data: for verifiers that do not run Python. Pure.

`Record.is_key` is the rule; where it says more than the types of KEY do, the application says it
here too, and the browser's verifier judges by it. Without it that verifier cannot judge absence.
"""

import msgspec

from hansa.ledger.model import Record


class KeyRule(msgspec.Struct, frozen=True):
    """Identifiers of `kind`, parts joined by `/`, match `pattern` whole, and `checks` hold.

    pattern: a regular expression that Python and JavaScript read alike; named groups `(?P<id>…)`.
    checks: a name and its arguments, each a group or a text; a check of a group that did not take
    part is left out. `identifier` SCHEME VALUE: holds, in its one spelling (as is_canonical);
    `escaped` TEXT PLAIN SIZE: at most SIZE characters, of which those that are not of the character
    class PLAIN are `~XX` for each byte; `public_key` KEY: base64url of a key that may be used.
    """

    kind: type[Record]
    pattern: str
    checks: tuple[tuple[str, ...], ...] = ()
