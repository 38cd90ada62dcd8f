"""The table of doors: each name, and the room whose `open_NAME` makes it."""

from importlib import import_module
from types import ModuleType

from tests.fuzz.door import Door

ROOMS = {
    "ledger": "canonical transactions admission messages state_proofs inclusion genesis",
    "files": "receipts proofs paths bundles evidence drafts invites announcements",
    "engine": "frames abci rpc answers light",
    "node": "chunks offers settings backups sealed_boxes keys",
    "identity": "json_documents dids did_documents credentials sd_jwts presentations jws"
    " timestamps",
    "lists": "bitstrings status_tokens dcql schemas type_metadata consent_records",
    "openid": "key_proofs credential_requests token_forms vp_tokens encrypted_answers",
    "documents": "ubl cii fapiao invoice_zips epcis_json epcis_xml epcis_queries food_identifiers",
    "gateway": "rest console form_bodies",
}
DOORS = {name: room for room, names in ROOMS.items() for name in names.split()}
# With a fault each, to see that it is found.
PLANTED = dict.fromkeys(("planted_crash", "planted_hang", "planted_yes"), "planted")


def import_room(name: str) -> ModuleType:
    """The room of a door: only its own is imported."""
    return import_module(f"tests.fuzz.rooms.{(DOORS | PLANTED)[name]}")


def open_door(name: str) -> Door:
    """Make a door ready."""
    door: Door = getattr(import_room(name), f"open_{name}")()
    return door
