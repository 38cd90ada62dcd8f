"""What the ABCI server itself costs: its own time per CheckTx and per FinalizeBlock.

`tools/measure_abci.py`: another process plays the engine, the application accepts everything;
printed is the processor time of the server's process.
"""

import os
import socket
import sys
import threading
import time

from hansa.comet.abci import types_pb2 as abci
from hansa.comet.abci.connection import Connection, list_calls
from hansa.comet.abci.empty import EmptyApplication
from hansa.comet.abci.framing import FRAME_MAX
from hansa.comet.abci.turns import Turns
from hansa.encoding.protobuf import delimit

TX_BYTES = 700
BLOCK = 2_000
ROUNDS = 5


def play_engine(stream: socket.socket, data: bytes, times: int) -> None:
    """Write `data` again and again and read every answer."""

    def write() -> None:
        for _ in range(times):
            stream.sendall(data)
        stream.shutdown(socket.SHUT_WR)

    writer = threading.Thread(target=write)
    writer.start()
    while stream.recv(1 << 20):
        pass
    writer.join()


def measure(data: bytes, times: int) -> float:
    """Processor seconds of the server for `data` sent `times` times; the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            play_engine(theirs, data, times)
            os._exit(0)
        theirs.close()
        connection = Connection(ours, list_calls(EmptyApplication()), Turns(), FRAME_MAX)
        start = time.process_time()
        connection.run()
        best = min(best, time.process_time() - start)
        os.wait()
    return best


def main() -> int:
    """Print both figures."""
    transaction = os.urandom(TX_BYTES)
    check = abci.Request(check_tx=abci.RequestCheckTx(tx=transaction)).SerializeToString()
    flush = abci.Request(flush=abci.RequestFlush()).SerializeToString()
    seconds = measure(delimit(check) * 1_000 + delimit(flush), 50)
    print(f"CheckTx of {TX_BYTES} bytes, pipelined: {seconds / 50_000 * 1e6:.1f} us")
    block = abci.RequestFinalizeBlock(txs=[transaction] * BLOCK, height=1)
    seconds = measure(delimit(abci.Request(finalize_block=block).SerializeToString()), 50)
    print(f"FinalizeBlock of {BLOCK} transactions: {seconds / 50 * 1e3:.2f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
