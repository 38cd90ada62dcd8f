"""A wire between two nodes that can be cut: a TCP relay of ours, which needs no rights of root.

Cut, it takes connections and passes nothing on, and what was on its way is held back or dropped
with the connection: as a dead line or a firewall does. Touches ports of 127.0.0.1.
"""

import asyncio
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Self

_CHUNK: Final = 65_536


class _Wire:
    def __init__(self, ends: frozenset[int], target: int) -> None:
        self.ends, self.target = ends, target
        self.port = 0
        self.writers: set[asyncio.StreamWriter] = set()


class Relays:
    """A wire from each node to each other. `targets`: p2p port of each node's engine."""

    def __init__(self, targets: dict[int, int]) -> None:
        self._targets = targets
        self._wires: dict[tuple[int, int], _Wire] = {}
        self._open: dict[frozenset[int], asyncio.Event] = {}
        self._refusing: set[frozenset[int]] = set()
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

    def port(self, dialling: int, dialled: int) -> int:
        """Where node `dialling` reaches node `dialled`."""
        return self._wires[dialling, dialled].port

    def cut(self, number: int, others: Iterable[int], *, refuse: bool) -> None:
        """Nothing passes between a node and these. `refuse`: connections are closed, as a firewall
        that rejects does; else they stay and are dead, as a cut line's.
        """
        self._call(self._set(number, others, is_open=False, refuse=refuse))

    def mend(self, number: int, others: Iterable[int]) -> None:
        """All passes again, also what was held back."""
        self._call(self._set(number, others, is_open=True, refuse=False))

    def _call(self, task: object) -> None:
        asyncio.run_coroutine_threadsafe(task, self._loop).result(30)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        for dialling in self._targets:
            for dialled, target in self._targets.items():
                if dialling == dialled:
                    continue
                ends = frozenset((dialling, dialled))
                wire = self._wires[dialling, dialled] = _Wire(ends, target)
                self._open.setdefault(ends, asyncio.Event()).set()
                server = await asyncio.start_server(
                    lambda reader, writer, w=wire: self._serve(w, reader, writer), "127.0.0.1", 0
                )
                wire.port = server.sockets[0].getsockname()[1]

    async def _set(
        self, number: int, others: Iterable[int], *, is_open: bool, refuse: bool
    ) -> None:
        for other in others:
            ends = frozenset((number, other))
            if is_open:
                self._refusing.discard(ends)
                self._open[ends].set()
                continue
            self._open[ends].clear()
            if refuse:
                self._refusing.add(ends)
                for wire in self._wires.values():
                    if wire.ends == ends:
                        for writer in list(wire.writers):
                            writer.transport.abort()

    async def _serve(
        self, wire: _Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if wire.ends in self._refusing:
            writer.transport.abort()
            return
        writers = {writer}
        wire.writers.add(writer)
        try:
            await self._open[wire.ends].wait()
            there, back = await asyncio.open_connection("127.0.0.1", wire.target)
            writers.add(back)
            wire.writers.add(back)
            await asyncio.gather(self._pass(wire, reader, back), self._pass(wire, there, writer))
        except OSError:
            pass  # one end is gone, so is the wire
        finally:
            for each in writers:
                wire.writers.discard(each)
                each.transport.abort()

    async def _pass(
        self, wire: _Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            await self._open[wire.ends].wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError

    async def _close(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
