"""Tracing over the read model: recalls, trace-back, lineage, labels, complete trails.

Asks one snapshot of the application's tables (`appkit.walk.Snapshot`); imports nothing of a node.
Start with `ways.py`.
"""
