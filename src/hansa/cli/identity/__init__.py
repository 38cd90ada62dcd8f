"""Commands of identity: who says so, by whom accredited, under which schema, with which status."""
