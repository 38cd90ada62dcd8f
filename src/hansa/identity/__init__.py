"""DIDs as pure data and checks; imports crypto and encoding only. Start with `did.py`."""
