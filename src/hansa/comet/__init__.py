"""CometBFT's formats: headers, commits, votes, blocks and their hashes. Pure; for both engines.

Start with `header.py`; `commit.py` holds the one check of signatures, `wire.py` writes protobuf.
"""
