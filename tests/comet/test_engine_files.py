"""What Hansa writes for the engine: the same genesis everywhere, keys as CometBFT reads them."""

import json
import os
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hansa.comet.faults import EngineHomeError
from hansa.comet.files import (
    EngineConfig,
    StateSync,
    compute_node_id,
    encode_config,
    encode_engine_genesis,
    write_engine_home,
)
from hansa.comet.sign_state import SIGN_STATE, raise_sign_state, read_sign_state
from hansa.comet.validators import compute_address
from hansa.crypto.hashing import sha256
from hansa.crypto.keys import PrivateKey
from hansa.ledger.genesis import encode_genesis
from hansa.primitives.limits import BLOCK_BYTES_MAX
from tests.comet.lone import GENESIS, NODE, PROTOCOL, ROOT, VALIDATOR, LoneEngine

CONFIG = EngineConfig(abci=Path("/run/x/abci.sock"), rpc=Path("/run/x/rpc.sock"))


def write(folder: Path, root: bytes = ROOT, validator: PrivateKey | None = VALIDATOR) -> None:
    write_engine_home(folder, GENESIS, root, validator, NODE, CONFIG, application_protocol=PROTOCOL)


def test_the_engines_genesis_follows_from_ours_alone() -> None:
    document = json.loads(encode_engine_genesis(GENESIS, ROOT, PROTOCOL))
    assert document["chain_id"] == GENESIS.chain
    assert document["genesis_time"] == "2023-11-14T22:13:20.12Z"
    assert document["app_hash"] == ROOT.hex()
    assert document["app_state"] == {"genesis": sha256(encode_genesis(GENESIS)).hex()}
    assert document["consensus_params"]["block"]["max_bytes"] == str(BLOCK_BYTES_MAX)
    assert document["consensus_params"]["version"]["app"] == str(PROTOCOL)
    assert [each["power"] for each in document["validators"]] == ["10"]
    again = msgspec.convert(msgspec.to_builtins(GENESIS), type(GENESIS))
    assert encode_engine_genesis(again, ROOT, PROTOCOL) == encode_engine_genesis(
        GENESIS, ROOT, PROTOCOL
    )


def test_secret_files_are_for_their_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write(tmp_path)
    finally:
        os.umask(before)
    for name in ("config/priv_validator_key.json", "config/node_key.json", str(SIGN_STATE)):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0, name


def test_a_file_that_lies_open_is_closed_again(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "config" / "node_key.json"
    path.chmod(0o644)
    write(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_writing_again_changes_nothing_and_keeps_what_was_signed(tmp_path: Path) -> None:
    write(tmp_path)
    raise_sign_state(tmp_path, 7)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    times = {path: path.stat().st_mtime_ns for path in before}
    write(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert {path: path.stat().st_mtime_ns for path in before} == times


def test_a_node_without_a_vote_never_keeps_a_validators_key(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, validator=None)
    key = json.loads((tmp_path / "config" / "priv_validator_key.json").read_bytes())
    assert key["address"] != compute_address(VALIDATOR.public.raw).hex().upper()
    assert key["address"] != compute_address(NODE.public.raw).hex().upper()


def test_blocks_of_another_genesis_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, root=b"\1" * 32)  # no block yet: nothing is lost
    (tmp_path / "data" / "blockstore.db").mkdir()
    with pytest.raises(EngineHomeError, match="another genesis"):
        write(tmp_path)
    write(tmp_path, root=b"\1" * 32)


def test_a_folder_that_cannot_be_made_is_told_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineHomeError) as caught:
        write(tmp_path / "file" / "engine")
    assert caught.value.cure


def test_words_in_the_settings_cannot_become_settings() -> None:
    config = msgspec.structs.replace(
        CONFIG, moniker='a"\n[rpc]\nladdr = "tcp://0.0.0.0:1', state_sync=None
    )
    read = tomllib.loads(encode_config(config))
    assert read["moniker"] == config.moniker
    assert read["rpc"]["laddr"] == "unix:///run/x/rpc.sock"


def test_state_sync_is_written_only_when_it_is_wanted() -> None:
    assert "statesync" not in tomllib.loads(encode_config(CONFIG))
    sync = StateSync(servers=("a:1", "b:2"), trust_height=9, trust_hash="AB")
    read = tomllib.loads(encode_config(msgspec.structs.replace(CONFIG, state_sync=sync)))
    assert read["statesync"]["enable"] is True
    assert read["statesync"]["rpc_servers"] == "a:1,b:2"
    assert read["statesync"]["trust_period"] == "604800s"


def test_the_sign_state_only_rises(tmp_path: Path) -> None:
    write(tmp_path)
    assert read_sign_state(tmp_path) == (0, 0, 0)
    assert raise_sign_state(tmp_path, 5)
    assert read_sign_state(tmp_path) == (5, 2**31 - 1, 3)
    assert not raise_sign_state(tmp_path, 4)
    assert not raise_sign_state(tmp_path, 5)
    assert read_sign_state(tmp_path)[0] == 5


@pytest.mark.parametrize("content", [b"", b"{", b'{"height":"x","round":0,"step":0}', b"[]"])
def test_a_damaged_sign_state_is_never_guessed(tmp_path: Path, content: bytes) -> None:
    write(tmp_path)
    (tmp_path / SIGN_STATE).write_bytes(content)
    with pytest.raises(EngineHomeError):
        raise_sign_state(tmp_path, 9)
    assert (tmp_path / SIGN_STATE).read_bytes() == content


@pytest.mark.slow
def test_the_engine_reads_the_keys_as_we_wrote_them(engine: Path, tmp_path: Path) -> None:
    write(tmp_path)

    def ask(command: str) -> str:
        done = subprocess.run(
            [engine, command, "--home", tmp_path], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert ask("show-node-id") == compute_node_id(NODE.public.raw)
    key = json.loads((tmp_path / "config" / "priv_validator_key.json").read_bytes())
    assert json.loads(ask("show-validator")) == key["pub_key"]


@pytest.mark.slow
def test_the_engine_takes_every_setting_and_the_genesis(lone: Callable[..., LoneEngine]) -> None:
    one = lone(moniker='quoted "name"', recheck=False, skip_timeout_commit=True).start()
    assert one.rpc.call("status")["node_info"]["moniker"] == 'quoted "name"'
    header, _ = one.rpc.signed_header(1)
    assert header.chain_id == GENESIS.chain
    assert header.version.app == PROTOCOL
    assert header.app_hash == ROOT
    assert header.time.ms == GENESIS.time_ms
    parameters = one.rpc.call("consensus_params", {"height": "1"})["consensus_params"]
    given = json.loads(encode_engine_genesis(GENESIS, ROOT, PROTOCOL))["consensus_params"]
    for section, values in given.items():
        for name, value in values.items():
            assert parameters[section][name] == value, (section, name)


@pytest.mark.slow
def test_the_engine_signs_nothing_at_or_below_a_raised_sign_state(
    lone: Callable[..., LoneEngine],
) -> None:
    one = lone(propose_ms=100, heartbeat_ms=100).start()
    height = one.rpc.status().height
    one.process.stop()
    raise_sign_state(one.folder, height + 3)
    one.process.start()
    one.wait_for(lambda: "height regression" in one.log.read_text())
    assert one.rpc.status().height == height
    assert read_sign_state(one.folder) == (height + 3, 2**31 - 1, 3)
