"""Wires between nodes that can be cut: a TCP relay before each engine. Needs no rights of root.

Who dials is known by the process that has the other end, so each pair of nodes has a wire of its
own. Cut, it takes connections and passes nothing on, or drops them as a firewall does. Touches
ports of 127.0.0.1, and reads /proc.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_CHUNK: Final = 65_536
Wire = frozenset[int]


class Relays:
    """A relay before each node. `targets`: p2p port of each engine; `find_dialler`: the node whose
    engine has a local port, None for nobody's.
    """

    def __init__(self, targets: dict[int, int], find_dialler: Callable[[int], int | None]) -> None:
        self._targets, self._find_dialler = targets, find_dialler
        self.ports: dict[int, int] = {}
        numbers = list(targets)
        wires = [frozenset((one, other)) for one in numbers for other in numbers if one < other]
        self._open = {wire: asyncio.Event() for wire in wires}
        self._refusing: set[Wire] = set()
        self._writers: dict[Wire, set[asyncio.StreamWriter]] = {wire: set() for wire in wires}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        self._thread.start()
        self._call(self._listen())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self, number: int, others: Iterable[int], *, refuse: bool) -> None:
        """Nothing passes between a node and these. `refuse`: connections are closed, as a firewall
        that rejects does; else they stay and are dead, as a cut line's.
        """
        self._call(self._cut([frozenset((number, other)) for other in others], refuse=refuse))

    def mend(self, number: int, others: Iterable[int]) -> None:
        """All passes again, also what was held back."""
        self._call(self._mend([frozenset((number, other)) for other in others]))

    def _call(self, task: object) -> None:
        asyncio.run_coroutine_threadsafe(task, self._loop).result(30)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        for event in self._open.values():
            event.set()
        for number in self._targets:
            server = await asyncio.start_server(
                lambda reader, writer, n=number: self._serve(n, reader, writer), "127.0.0.1", 0
            )
            self.ports[number] = server.sockets[0].getsockname()[1]

    async def _cut(self, wires: list[Wire], *, refuse: bool) -> None:
        for wire in wires:
            self._open[wire].clear()
            if refuse:
                self._refusing.add(wire)
                for writer in list(self._writers[wire]):
                    writer.transport.abort()

    async def _mend(self, wires: list[Wire]) -> None:
        for wire in wires:
            self._refusing.discard(wire)
            self._open[wire].set()

    async def _serve(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        port = writer.get_extra_info("peername")[1]
        dialler = await asyncio.to_thread(self._find_dialler, port)
        wire = frozenset((number, dialler or number))
        if wire not in self._open or wire in self._refusing:
            writer.transport.abort()
            return
        writers = {writer}
        self._writers[wire].add(writer)
        try:
            await self._open[wire].wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._targets[number])
            writers.add(back)
            self._writers[wire].add(back)
            await asyncio.gather(self._pass(wire, reader, back), self._pass(wire, there, writer))
        except OSError:
            pass  # one end is gone, so is the connection
        finally:
            self._writers[wire] -= writers
            for each in writers:
                each.transport.abort()

    async def _pass(
        self, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            await self._open[wire].wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _close(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


def has_local_port(pid: int, port: int) -> bool:
    """Whether a process has a TCP socket of this local port."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port:
            inodes.add(f"socket:[{fields[9]}]")
    for path in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):  # closed, or gone, while we look
            if str(path.readlink()) in inodes:
                return True
    return False
