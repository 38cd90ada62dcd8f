"""The disposable read model: committed blocks as SQL rows; may be dropped and rebuilt at any time.

May import the kernel and appkit, never the node. Start with `store.py`; who sees what: `sight.py`.
"""
