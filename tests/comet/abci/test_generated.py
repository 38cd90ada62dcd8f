"""The messages are CometBFT's own: edits by hand are found, nothing of gogoproto is left."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from hansa.comet.abci import keys_pb2, params_pb2, proof_pb2, types_pb2, validator_pb2
from hansa.comet.abci.connection import list_calls
from hansa.comet.abci.empty import EmptyApplication

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path("src/hansa/comet/abci")
MODULES = [keys_pb2, params_pb2, proof_pb2, types_pb2, validator_pb2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tool and what it wrote, in a place where there is no Go."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "generate_abci.py", tmp_path / "tools")
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    return tmp_path


def check(folder: Path) -> tuple[int, str]:
    environment = {**os.environ, "PATH": "", "GOMODCACHE": str(folder / "empty")}
    command = [sys.executable, str(folder / "tools" / "generate_abci.py"), "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout


def test_the_tree_is_as_it_was_generated(copy: Path) -> None:
    status, told = check(copy)
    assert status == 0
    assert "recorded digests only" in told


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("types_pb2.py", "CHECKTX", "CHECKTY", "edited by hand"),
        ("types_pb2.pyi", "max_tx_bytes: int", "max_tx_bytes: str", "edited by hand"),
        ("keys_pb2.py", "v0.39.4", "v0.38.0", "not generated from"),
    ],
)
def test_an_edit_by_hand_is_found(copy: Path, name: str, old: str, new: str, told: str) -> None:
    path = copy / FOLDER / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    status, output = check(copy)
    assert status == 1
    assert f"{name}" in output
    assert told in output


def test_a_missing_and_an_odd_file_are_found(copy: Path) -> None:
    (copy / FOLDER / "proof_pb2.py").rename(copy / FOLDER / "prove_pb2.py")
    status, output = check(copy)
    assert status == 1
    assert "proof_pb2.py is missing" in output
    assert "prove_pb2.py does not belong here" in output


@pytest.mark.parametrize("module", MODULES, ids=lambda each: each.__name__)
def test_messages_need_nothing_but_googles_own_types(module: object) -> None:
    file = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)
    assert file.package.startswith("tendermint.")
    for needed in file.dependency:
        assert needed.startswith(("hansa/comet/abci/", "google/protobuf/"))
    assert b"gogoproto" not in file.SerializeToString()
    assert b"google.golang.org" not in file.SerializeToString()
    for message in file.message_type:  # gogoproto's options would be left as unknown fields
        before = message.SerializeToString()
        message.DiscardUnknownFields()
        assert message.SerializeToString() == before


def test_each_request_has_its_answer() -> None:
    requests = set(types_pb2.Request.DESCRIPTOR.fields_by_name)
    answers = set(types_pb2.Response.DESCRIPTOR.fields_by_name)
    assert answers - requests == {"exception"}
    assert list_calls(EmptyApplication()).keys() == requests


def test_numbers_on_the_wire_are_the_engines() -> None:
    """Written by hand from CometBFT v0.39.4, proto/tendermint/abci/types.proto."""
    abci = types_pb2
    request = abci.Request(check_tx=abci.RequestCheckTx(tx=b"ab", type=abci.RECHECK))
    assert request.SerializeToString() == bytes.fromhex("42060a0261621001")
    block = abci.ResponseFinalizeBlock(app_hash=b"h")
    block.tx_results.add(code=3, data=b"d", gas_used=5)
    block.validator_updates.add(power=1).pub_key.ed25519 = b"k"
    wire = bytes.fromhex("1207080312016430051a070a030a016b10012a0168")
    assert block.SerializeToString() == wire
    assert abci.Response(finalize_block=block).SerializeToString() == b"\xaa\x01\x15" + wire
