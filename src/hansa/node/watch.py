"""Who waits for what: for a transaction, for a height, or for every height. In memory only.

The engine only says that something happened; listeners are called from a thread of their own, so
that a slow or broken one cannot hold up a block.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

Listener = Callable[[int], None]


class Watch:
    """Told by the engine, asked from any thread."""

    def __init__(self, height: int) -> None:
        self._height = height
        self._news = 0
        self._ended = False
        self._changed = threading.Condition()
        self._waiters: dict[str, list[threading.Event]] = {}
        self._listeners: tuple[Listener, ...] = ()
        self._caller: threading.Thread | None = None

    def grow(self, height: int) -> None:
        """A block is durable."""
        with self._changed:
            self._height = height
            self._news += 1
            self._changed.notify_all()

    def tell(self, final: Iterable[str]) -> None:
        """What is known of these transactions has changed for good: final, or dropped.

        Listeners hear of it too: it may come after the last block.
        """
        with self._changed:
            self._wake(final)
            self._news += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more will happen: nobody waits for ever."""
        with self._changed:
            self._ended = True
            self._wake(self._waiters)
            self._changed.notify_all()

    @contextmanager
    def transaction(self, transaction: str) -> Iterator[threading.Event]:
        """An event that is set when the transaction is final, or the engine has ended."""
        event = threading.Event()
        with self._changed:
            self._waiters.setdefault(transaction, []).append(event)
            if self._ended:
                event.set()
        try:
            yield event
        finally:
            with self._changed:
                waiters = self._waiters[transaction]
                waiters.remove(event)
                if not waiters:
                    del self._waiters[transaction]

    def wait_height(self, height: int, timeout_s: float) -> bool:
        """Whether `height` is reached, waiting at most `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._height >= height or self._ended, timeout_s)
            return self._height >= height

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the height after each block and each change of what is final (the
        latest, when several came at once).
        """
        with self._changed:
            self._listeners = (*self._listeners, listener)
            if self._caller is None:
                self._caller = threading.Thread(
                    target=self._call_listeners, name="hansa-listeners", daemon=True
                )
                self._caller.start()

        def unsubscribe() -> None:
            with self._changed:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return unsubscribe

    def _call_listeners(self) -> None:
        told = self._news
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._news > told or self._ended)  # noqa: B023
                if self._news == told:
                    return
                told, height, listeners = self._news, self._height, self._listeners
            for listener in listeners:
                listener(height)

    def _wake(self, transactions: Iterable[str]) -> None:
        for transaction in transactions:
            for event in self._waiters.get(transaction, ()):
                event.set()
