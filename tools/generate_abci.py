"""Writes `src/hansa/comet/abci/*_pb2.py` from CometBFT's own .proto files.

`tools/generate_abci.py` fetches the modules (Go needed) and writes; `--check` compares: with the
sources when they are in the Go module cache, else with the digests in the files' own headers.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "hansa/comet/abci"
TARGET = ROOT / "src" / PACKAGE
MODULE = "github.com/cometbft/cometbft"
VERSION = "v0.39.4"
# Go's checksums of the modules, as sum.golang.org has them.
SUMS = {
    MODULE: "h1:Bm7xbN18VfNueEd7cZumACbvVE+Lf9N58sz3oBOVPbw=",
    "github.com/cosmos/gogoproto": "h1:5G25McIraOC0mRFv9TVO139Uh3OklV2hczr13KKVHCA=",
}
# What the ABCI messages need, named as our modules are to be named.
SOURCES = {
    "tendermint/abci/types.proto": "types",
    "tendermint/crypto/keys.proto": "keys",
    "tendermint/crypto/proof.proto": "proof",
    "tendermint/types/params.proto": "params",
    "tendermint/types/validator.proto": "validator",
}
GOGO = "gogoproto/gogo.proto"
DIGEST = "# sha256 of the lines below: "


class CannotGenerate(Exception):
    """The sources or the compiler are not to be had; the message says what is missing."""


@dataclass(frozen=True)
class Sources:
    """The folders that protoc searches, and the version of gogoproto found there."""

    folders: tuple[Path, Path]
    gogoproto: str


def find_cache() -> Path:
    """The Go module cache of this user, whether Go is installed or not."""
    go = shutil.which("go")
    if go:
        found = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True)
        if found.returncode == 0 and found.stdout.strip():
            return Path(found.stdout.strip())
    default = Path(os.environ.get("GOPATH") or Path.home() / "go") / "pkg" / "mod"
    return Path(os.environ.get("GOMODCACHE") or default)


def fetch(module: str, version: str, download: bool) -> Path:
    """The folder of a Go module in the cache, its checksum compared."""
    cache = find_cache()
    folder = cache / f"{module}@{version}"
    if download:
        go = shutil.which("go")
        if not go:
            raise CannotGenerate("Go is missing: it fetches the sources of CometBFT")
        command = [go, "mod", "download", "-json", f"{module}@{version}"]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            raise CannotGenerate(f"go mod download {module}@{version}: {run.stdout}{run.stderr}")
        folder = Path(json.loads(run.stdout)["Dir"])
    note = cache / "cache" / "download" / module / "@v" / f"{version}.ziphash"
    if not folder.is_dir() or not note.is_file():
        raise CannotGenerate(f"{module} {version} is not in the Go module cache")
    if note.read_text().strip() != SUMS[module]:
        raise CannotGenerate(f"{module} {version} has another checksum than {SUMS[module]}")
    return folder


def find_sources(download: bool) -> Sources:
    """CometBFT's .proto files and the gogoproto that its go.mod names."""
    engine = fetch(MODULE, VERSION, download)
    gogo = "github.com/cosmos/gogoproto"
    named = re.search(rf"^\s*{re.escape(gogo)} (v\S+)", (engine / "go.mod").read_text(), re.M)
    if not named:
        raise CannotGenerate(f"go.mod of CometBFT {VERSION} names no {gogo}")
    return Sources((engine / "proto", fetch(gogo, named[1], download)), named[1])


def compile_protos(arguments: list[str]) -> None:
    """Run the protoc of grpcio-tools (a development dependency)."""
    import grpc_tools

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={well_known}", *arguments]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise CannotGenerate(f"protoc: {run.stderr}")


def strip(source: descriptor_pb2.FileDescriptorSet) -> descriptor_pb2.FileDescriptorSet:
    """The same messages without gogoproto's options and imports, under our file names."""
    names = {path: f"{PACKAGE}/{name}.proto" for path, name in SOURCES.items()}
    stripped = descriptor_pb2.FileDescriptorSet()
    for file in source.file:
        if file.name == GOGO:
            continue
        copy = stripped.file.add()
        copy.CopyFrom(file)
        copy.DiscardUnknownFields()  # gogoproto's options
        copy.ClearField("options")
        copy.ClearField("source_code_info")
        del copy.service[:]  # gRPC is not spoken
        copy.name = names.get(file.name, file.name)
        copy.dependency[:] = [names.get(each, each) for each in file.dependency if each != GOGO]
    return stripped


def add_header(body: str, gogoproto: str) -> str:
    """The file as it is stored: where it is from, its licence, the digest of its body."""
    return "\n".join(
        [
            f'"""Generated by tools/generate_abci.py from {MODULE} {VERSION} (Apache-2.0);',
            f"options of github.com/cosmos/gogoproto {gogoproto} removed. Do not edit.",
            '"""',
            "# SPDX-License-Identifier: Apache-2.0",
            f"{DIGEST}{hashlib.sha256(body.encode()).hexdigest()}",
            body,
        ]
    )


def generate(sources: Sources) -> dict[str, str]:
    """File name -> text, of all that is written."""
    if importlib.util.find_spec("grpc_tools") is None:
        raise CannotGenerate("grpcio-tools is missing: it brings protoc")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        paths = [f"--proto_path={folder}" for folder in sources.folders]
        whole, stripped = work / "whole", work / "stripped"
        compile_protos([*paths, "--include_imports", f"--descriptor_set_out={whole}", *SOURCES])
        parsed = descriptor_pb2.FileDescriptorSet.FromString(whole.read_bytes())
        stripped.write_bytes(strip(parsed).SerializeToString(deterministic=True))
        ours = [f"{PACKAGE}/{each}.proto" for each in SOURCES.values()]
        outputs = [f"--python_out={work}", f"--pyi_out={work}"]
        compile_protos([f"--descriptor_set_in={stripped}", *outputs, *ours])
        made = sorted((work / PACKAGE).glob("*_pb2.py*"))
        return {each.name: add_header(each.read_text(), sources.gogoproto) for each in made}


def list_stored() -> dict[str, str]:
    """File name -> text, of what is in the tree."""
    return {each.name: each.read_text() for each in sorted(TARGET.glob("*_pb2.py*"))}


def check_digests(stored: dict[str, str]) -> list[str]:
    """What is wrong with the stored files by their own headers."""
    wanted = {f"{name}_pb2.{kind}" for name in SOURCES.values() for kind in ("py", "pyi")}
    faults = [f"{name} is missing" for name in sorted(wanted - stored.keys())]
    faults += [f"{name} does not belong here" for name in sorted(stored.keys() - wanted)]
    for name, text in stored.items():
        head, found, rest = text.partition(DIGEST)
        digest, _, body = rest.partition("\n")
        if not found or f"{MODULE} {VERSION} (" not in head:
            faults.append(f"{name} is not generated from {MODULE} {VERSION}")
        elif hashlib.sha256(body.encode()).hexdigest() != digest:
            faults.append(f"{name} was edited by hand")
    return faults


def check() -> list[str]:
    """The faults of the tree: by the sources where they are, else by the headers."""
    stored = list_stored()
    faults = check_digests(stored)
    try:
        fresh = generate(find_sources(download=False))
    except CannotGenerate as reason:
        print(f"compared with the recorded digests only: {reason}")
        return faults
    return faults or [
        f"{name} differs from what {MODULE} {VERSION} gives"
        for name, text in fresh.items()
        if stored[name] != text
    ]


def main() -> int:
    """Write or check; 1 if the tree has drifted, 2 if it cannot be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    if parser.parse_args().check:
        faults = check()
        for fault in faults:
            print(f"{TARGET.relative_to(ROOT)}/{fault}: run tools/generate_abci.py")
        return 1 if faults else 0
    try:
        files = generate(find_sources(download=True))
    except CannotGenerate as reason:
        print(reason)
        return 2
    for name, text in files.items():
        (TARGET / name).write_text(text)
        print((TARGET / name).relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
