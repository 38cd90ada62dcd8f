"""A gateway of a test on a free port of the loopback interface, in a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hansa.api.application import Gateway
from hansa.api.server import Address, bind, build_server, format_url


@contextmanager
def serve_gateway(app: Gateway) -> Iterator[str]:
    """Its URL, as long as it serves."""
    address = Address()
    listening = bind(address)
    server = build_server(app, address)
    ready = threading.Event()
    server.on_ready = ready.set
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        assert ready.wait(30)
        yield format_url(address, listening)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
