"""ABCI 2.0, the protocol between CometBFT and the ledger: messages, framing, server.

`types_pb2.py` has the messages (generated), `handler.py` the calls and what each owes the engine,
`server.py` answers them over a unix socket, `empty.py` is an application that accepts everything.
"""
