"""An identifier as words, for what no catalogue names yet. Pure."""

import re
from typing import Final

# Where one word of an identifier ends: `issueDate`, `EPCList`, `issue_date`, `issue-date`.
_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-\s]+")


def make_readable(identifier: str) -> str:
    """`e_invoice.IssueInvoice` is `Issue invoice`, `used_height` is `Used height`."""
    last = identifier.rpartition(".")[2] or identifier
    words = [word for word in _ENDS.split(last) if word]
    if not words:
        return identifier
    text = " ".join(word.lower() for word in words)
    return text[0].upper() + text[1:]
