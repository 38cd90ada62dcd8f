"""What offers and requests leave behind: sealed, bounded, over in time, and given out once."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hansa.api.notebook import Notebooks
from hansa.api.openid import drawer as drawer_module
from hansa.api.openid import nonces as nonces_module
from hansa.api.openid.drawer import Drawer, draw_secret
from hansa.api.openid.limits import NONCE_MS
from hansa.api.openid.nonces import Nonces
from hansa.api.problems import Refusal


class Note(msgspec.Struct, frozen=True):
    text: str


class Clock:
    """A clock that tests move."""

    now_ms = 1_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def notebooks(tmp_path: Path) -> Iterator[Notebooks]:
    made = Notebooks(tmp_path / "notebook.sqlite")
    yield made
    made.close()


def test_an_entry_is_read_by_its_secret_and_kind_alone(
    notebooks: Notebooks, tmp_path: Path
) -> None:
    clock = Clock()
    drawer, secret = Drawer(notebooks.of("openid"), clock), draw_secret()
    drawer.put("code", secret, Note("Canary-9912"), 2_000)
    assert drawer.find("code", secret, Note) == (Note("Canary-9912"), 2_000)
    for kind, other in (("token", secret), ("code", draw_secret()), ("code", ""),
                        ("code", "é"), ("code", "x" * 65)):  # fmt: skip
        assert drawer.find(kind, other, Note) is None
    again = Drawer(notebooks.of("openid"), clock)  # the gateway starts anew
    assert again.take("code", secret, Note) == (Note("Canary-9912"), 2_000)
    assert again.take("code", secret, Note) is None
    drawer.put("code", secret, Note("Canary-9912"), 2_000)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in written
    for canary in (b"Canary", base64.b64encode(b"Canary-9912")[:12], b"Canary".hex().encode()):
        assert canary not in written


def test_an_entry_that_was_changed_counts_for_nothing(notebooks: Notebooks) -> None:
    drawer, secret = Drawer(notebooks.of("openid"), Clock()), draw_secret()
    drawer.put("code", secret, Note("x"), 2_000)
    ((name, data),) = notebooks.list("openid", "", "", 10)
    for place in range(8, len(data)):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        notebooks.change("openid", {name: changed}, [])
        assert drawer.find("code", secret, Note) is None, place


def test_entries_end_by_time_and_are_deleted(notebooks: Notebooks) -> None:
    clock = Clock()
    drawer = Drawer(notebooks.of("openid"), clock)
    first, second = draw_secret(), draw_secret()
    drawer.put("code", first, Note("x"), 1_500)
    drawer.put("code", second, Note("x"), 9_000)
    clock.now_ms = 1_499
    assert drawer.find("code", first, Note) is not None
    clock.now_ms = 1_500
    assert drawer.find("code", first, Note) is None
    clock.now_ms = 3_000
    assert len(drawer) == 1 == len(notebooks.list("openid", "", "", 10))


def test_no_more_entries_than_fit(notebooks: Notebooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawer_module, "ENTRIES_MAX", 3)
    clock = Clock()
    drawer = Drawer(notebooks.of("openid"), clock)
    secrets = [draw_secret() for _entry in range(4)]
    for secret in secrets[:3]:
        drawer.put("code", secret, Note("x"), 2_000)
    with pytest.raises(Refusal) as refused:
        drawer.put("code", secrets[3], Note("x"), 2_000)
    assert refused.value.status == 429
    drawer.put("code", secrets[0], Note("y"), 2_000)  # to change one takes no room
    clock.now_ms = 2_000
    drawer.put("code", secrets[3], Note("x"), 3_000)
    assert len(drawer) == 1


def test_of_many_who_take_one_gets_it(notebooks: Notebooks) -> None:
    drawer, secret = Drawer(notebooks.of("openid"), Clock()), draw_secret()
    drawer.put("code", secret, Note("x"), 2_000)
    nonces = Nonces(Clock())
    nonce = nonces.draw()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _n: drawer.take("code", secret, Note), range(16)))
        used = list(pool.map(lambda _n: nonces.use(nonce), range(16)))
    assert sum(each is not None for each in taken) == 1 == sum(used)


def test_nonces_are_this_gateways_live_and_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    nonces = Nonces(clock)
    nonce = nonces.draw()
    assert nonces.is_live(nonce) and not Nonces(clock).is_live(nonce)
    decoded = bytearray(base64.urlsafe_b64decode(nonce + "=="[: -len(nonce) % 4]))
    for place in range(len(decoded)):
        decoded[place] ^= 1
        assert not nonces.is_live(base64.urlsafe_b64encode(decoded).rstrip(b"=").decode())
        decoded[place] ^= 1
    clock.now_ms += NONCE_MS - 1
    assert nonces.is_live(nonce)
    clock.now_ms += 1
    assert not nonces.is_live(nonce) and not nonces.use(nonce)
    assert nonces.use(kept := nonces.draw()) and not nonces.is_live(kept)
    monkeypatch.setattr(nonces_module, "NONCES_MAX", 1)
    with pytest.raises(Refusal):
        nonces.use(nonces.draw())
    clock.now_ms += NONCE_MS
    assert nonces.use(nonces.draw())


def test_strange_nonces_are_none() -> None:
    nonces: Any = Nonces(Clock())
    for text in ("", "é", "=", "A" * 5_000, "AAAA", "\x00"):
        assert not nonces.is_live(text)


def test_a_secret_is_no_option_of_a_command() -> None:
    drawn = {draw_secret() for _ in range(2_000)}
    assert len(drawn) == 2_000
    assert {len(each) for each in drawn} == {32}
    assert not {each for each in drawn if each.startswith("-")}
