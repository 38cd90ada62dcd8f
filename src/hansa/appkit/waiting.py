"""What waits for somebody: rows of an application's tables that a home page shows. Pure."""

import msgspec


class Waiting(msgspec.Struct, frozen=True):
    """Rows of `table` that a visitor has to do something about.

    name: its words are `waiting` "APPLICATION.NAME". where: columns and the values that rows have
    there. mine: column that holds the visitor's member; "": rows of anybody whom the visitor sees.
    role: "APPLICATION.ROLE", shown to its holders alone; "": to everybody. scope: column that holds
    a jurisdiction, of which only those are shown in which the visitor holds the role. messages:
    message types that one sends about such a row. is_urgent: shown before the others.
    """

    name: str
    table: str
    where: tuple[tuple[str, str | int], ...] = ()
    mine: str = ""
    role: str = ""
    scope: str = ""
    messages: tuple[str, ...] = ()
    is_urgent: bool = False
