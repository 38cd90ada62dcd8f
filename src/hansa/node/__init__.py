"""The imperative shell around the kernel: storage, engines, life cycle. The only writer of state.

May import everything below it (comet, catalog and down); never index, vault or client. Start at
`ledger_node.LedgerNode`; `application.LedgerApplication` is the part that any engine drives.
"""
