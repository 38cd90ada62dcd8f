"""What the JSON decoder raises of bytes that are no JSON, or not of the wanted type. Pure."""

from typing import Final

import msgspec

# Not UTF-8 and nested too deeply are no `MsgspecError`, though the sender is as much at fault.
NOT_JSON: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
