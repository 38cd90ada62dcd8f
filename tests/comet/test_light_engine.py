"""Light verification beside CometBFT's own `cometbft light` on a chain whose validators change."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hansa.comet.light import (
    LightBlock,
    NotEnoughTrust,
    Rules,
    find_path,
    follow,
    trust_genesis,
    verify,
)
from hansa.comet.rpc import RpcClient
from hansa.comet.rpc_answers import (
    write_commit,
    write_consensus_params,
    write_header,
    write_validators,
)
from hansa.comet.rpc_json import parse_commit_answer
from hansa.comet.validators import Validator
from hansa.comet.wire import Timestamp
from hansa.crypto.keys import PrivateKey
from tests.comet.lone import CHAIN, GENESIS, PATIENCE_S, VALIDATOR, LoneEngine, find_port

HEIR = PrivateKey.from_seed("EdDSA", b"h" * 32)
HEIR_NODE = PrivateKey.from_seed("EdDSA", b"i" * 32)
# The genesis of these engines is of 2023.
RULES = Rules(trust_period_s=100 * 365 * 86_400)


def load(rpc: RpcClient, height: int) -> LightBlock:
    header, commit = rpc.signed_header(height)
    return LightBlock(commit, header, rpc.validators(height))


def set_power(rpc: RpcClient, key: PrivateKey, power: int) -> None:
    """kvstore's own transaction that changes the validator set."""
    public = b64encode(key.public.raw).decode()
    (taken,) = rpc.broadcast([f"val=ed25519!{public}!{power}".encode()])
    assert taken.taken, taken


def hand_over(first: LoneEngine, second: LoneEngine) -> list[int]:
    """From one validator to another; the heights at which the set is new."""
    changes = []
    second.wait_for(lambda: not second.rpc.status().catching_up)
    for key, power in ((HEIR, 10), (VALIDATOR, 0), (VALIDATOR, 3), (HEIR, 12)):
        before = second.rpc.validators(second.rpc.status().height)
        set_power(second.rpc, key, power)
        second.wait_for(
            lambda before=before: second.rpc.validators(second.rpc.status().height) != before
        )
        changes.append(second.rpc.status().height)
    newest = changes[-1] + 3
    for engine in (first, second):
        engine.wait_for(lambda engine=engine: engine.rpc.status().height > newest)
    return [*changes, newest]


@contextmanager
def light_daemon(
    program: Path, home: Path, primary: LoneEngine, witness: LoneEngine, height: int, digest: str
) -> Iterator[str]:
    """The official light client over both engines, trusting one header; its address."""
    port = find_port()
    home.mkdir()
    with (home / "light.log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                str(program), "light", CHAIN,
                "-p", f"unix://{primary.sockets.rpc}", "-w", f"unix://{witness.sockets.rpc}",
                "--height", str(height), "--hash", digest,
                "--laddr", f"tcp://127.0.0.1:{port}", "--home-dir", str(home),
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            daemon.kill()
            daemon.wait()


def ask(url: str, daemon_log: Path) -> bytes:
    """The result that the daemon has verified."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                return json.dumps(json.load(answer)["result"]).encode()
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < give_up, daemon_log.read_text()
            time.sleep(0.1)


@pytest.mark.slow
def test_both_light_clients_agree_at_every_height(
    engine: Path, lone: Callable[..., LoneEngine], tmp_path: Path
) -> None:
    first = lone(heartbeat_ms=100).start()
    second = lone(heartbeat_ms=100, validator=HEIR, node=HEIR_NODE, peers=(first.address,)).start(2)
    *changes, newest = hand_over(first, second)
    rpc = second.rpc
    target = load(rpc, newest)
    now = Timestamp.from_ns(time.time_ns())
    root = trust_genesis(
        CHAIN,
        Timestamp.from_ms(GENESIS.time_ms),
        (Validator(VALIDATOR.public.raw, 10),),
    )

    # The heir was no validator of the genesis: what he signs alone does not follow from it.
    alone = load(rpc, changes[1] + 1)
    assert [each.public_key for each in alone.validators] == [HEIR.public.raw]
    with pytest.raises(NotEnoughTrust):
        verify(root, alone, now=now, rules=RULES)

    trusted = load(rpc, 2)
    with light_daemon(
        engine, tmp_path / "light", second, first, 2, trusted.header.hash().hex()
    ) as url:
        for height in (newest, *changes, 3, newest - 1):
            asked: list[int] = []

            def fetch(at: int, asked: list[int] = asked) -> LightBlock:
                asked.append(at)
                return load(rpc, at)

            block = load(rpc, height)
            for start in (root, trusted.trusted()):
                path = find_path(fetch, start, block, length_max=8)
                assert follow(start, [*path, block], now=now, rules=RULES) == block.trusted()
            data = ask(f"{url}/commit?height={height}", tmp_path / "light" / "light.log")
            header, _commit = parse_commit_answer(data)
            assert header == block.header
            assert header.hash() == block.commit.block_id.hash
    assert find_path(lambda at: load(rpc, at), root, target, length_max=8), "it led in one step"


@pytest.mark.slow
def test_the_official_client_reads_what_we_write(lone: Callable[..., LoneEngine]) -> None:
    """Our answers, field for field, beside those of a real engine."""
    made = lone(heartbeat_ms=100).start(3)
    header, commit = made.rpc.signed_header(2)
    real = made.rpc.call("commit", {"height": "2"})
    assert write_commit(header, commit) == {**real, "canonical": True}
    assert write_header(header) == made.rpc.call("header", {"height": "2"})
    validators = made.rpc.call("validators", {"height": "2"})
    ours = write_validators(2, made.rpc.validators(2), page=1, per_page=30)
    for each in (*validators["validators"], *ours["validators"]):
        each["proposer_priority"] = ""
    assert ours == validators
    params = made.rpc.call("consensus_params", {"height": "2"})["consensus_params"]
    found = write_consensus_params(
        2,
        block_max_bytes=int(params["block"]["max_bytes"]),
        block_max_gas=int(params["block"]["max_gas"]),
        app=int(params["version"]["app"]),
    )["consensus_params"]
    for name, value in found.items():
        assert value.keys() == params[name].keys(), name
