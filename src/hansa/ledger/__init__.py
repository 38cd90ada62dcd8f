"""The kernel: pure and deterministic, no I/O. Start with `execution.py`, which tells the whole
story.
"""
