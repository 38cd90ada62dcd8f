"""What the captured documents say, taken again without the contract: for `invariants.py`."""
