"""The verifier against changed and hostile files: no false yes, no crash, bounded memory."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hansa.client.checkpoints import VALIDATORS_MAX
from hansa.client.receipts import FILE_BYTES_MAX, encode_file
from hansa.client.trust import TrustRoot
from hansa.client.verify import verify_file
from hansa.comet.commit import COMMIT, NIL
from tests.client.sealing import ADA, NOW, League, verify_receipt
from tests.client.test_trust_path import heirs
from tests.ledger.toy import Count


@cache
def build(*names: str) -> tuple[bytes, bytes, TrustRoot]:
    """A receipt with everything in it, a proof of absence, and the trust root."""
    made = League(*names)
    counts = [("counter", Count(id=f"c{i}", by=i, limit=5)) for i in range(1, 4)]
    made.chain.block([made.chain.sign(ADA, counts) for _ in range(3)])
    flags = (COMMIT, NIL, COMMIT, COMMIT) if len(names) == 4 else ()
    receipt = encode_file(made.receipt(1, 1, flags=flags))
    made.chain.block()
    return (
        receipt,
        encode_file(made.proof(b"e_invoice/reimbursement/" + b"1" * 20 + b"/1")),
        made.trust(),
    )


ONE = ("v1",)
FOUR = ("v1", "v2", "v3", "v4")
HEIRS = ("heirs",)


@cache
def build_led() -> tuple[bytes, bytes, TrustRoot]:
    """A receipt and a checkpoint that lead from genesis over headers."""
    made = heirs()
    return encode_file(made.late), encode_file(made.checkpoint), made.trust


def build_any(names: tuple[str, ...]) -> tuple[bytes, bytes, TrustRoot]:
    """Two files and their trust root."""
    return build_led() if names == HEIRS else build(*names)


def outcome(data: bytes, trust: TrustRoot) -> str:
    return verify_receipt(data, trust).outcome


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("names", [ONE, FOUR, HEIRS], ids=["one", "four", "heirs"])
def test_a_flipped_bit_in_every_byte_turns_yes_into_no(names: tuple[str, ...]) -> None:
    receipt, proof, trust = build_any(names)
    for data in (receipt, proof):
        assert outcome(data, trust) == "yes"
        for byte in range(len(data)):
            assert outcome(flip(data, byte * 8 + byte % 8), trust) == "no", byte


@pytest.mark.slow
@pytest.mark.parametrize("names", [ONE, FOUR, HEIRS], ids=["one", "four", "heirs"])
def test_every_flipped_bit_turns_yes_into_no(names: tuple[str, ...]) -> None:
    receipt, proof, trust = build_any(names)
    for data in (receipt, proof):
        for bit in range(len(data) * 8):
            assert outcome(flip(data, bit), trust) == "no", bit


@pytest.mark.slow
def test_every_flipped_bit_of_an_old_receipt_turns_yes_into_no() -> None:
    made = League(*ONE)
    made.chain.block([made.chain.sign(ADA, [("counter", Count(id="a", by=1, limit=5))])])
    made.chain.block()
    data, trust = encode_file(made.receipt(height=1)), made.trust()
    assert outcome(data, trust) == "yes"
    for bit in range(len(data) * 8):
        assert outcome(flip(data, bit), trust) == "no", bit


def test_every_truncation_is_a_no() -> None:
    receipt, _proof, trust = build(*ONE)
    for size in range(len(receipt)):
        assert outcome(receipt[:size], trust) == "no", size


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\x00", b"{}", b"}", b"\xef\xbb\xbf"])
def test_appended_or_prepended_bytes_are_a_no(tail: bytes) -> None:
    receipt, _proof, trust = build(*ONE)
    assert outcome(receipt + tail, trust) == "no"
    assert outcome(tail + receipt, trust) == "no"


def rewrite_duplicate(data: bytes) -> bytes:
    return data.replace(b'"chain":', b'"chain":"other","chain":', 1)


def rewrite_duplicate_last(data: bytes) -> bytes:
    return data[:-1] + b',"kind":"hansa.receipt/1"}'


def rewrite_reordered(data: bytes) -> bytes:
    return json.dumps(
        dict(reversed(json.loads(data).items())), separators=(",", ":"), ensure_ascii=False
    ).encode()


def rewrite_spaced(data: bytes) -> bytes:
    return json.dumps(json.loads(data), sort_keys=True, ensure_ascii=False).encode()


def rewrite_space_inside_message(data: bytes) -> bytes:
    return data.replace(b'"app":"counter",', b'"app": "counter",', 1)


def rewrite_escaped(data: bytes) -> bytes:
    return data.replace(b'"test-1"', b'"t\\u0065st-1"', 1)


def rewrite_float(data: bytes) -> bytes:
    return data.replace(b'"height":1', b'"height":1.0', 1)


def rewrite_exponent(data: bytes) -> bytes:
    return data.replace(b'"height":1', b'"height":1e0', 1)


def rewrite_utf16(data: bytes) -> bytes:
    return data.decode().encode("utf-16")


def rewrite_unknown_field(data: bytes) -> bytes:
    return json.dumps(
        json.loads(data) | {"note": ""}, sort_keys=True, separators=(",", ":")
    ).encode()


@pytest.mark.parametrize(
    "rewrite",
    [
        rewrite_duplicate,
        rewrite_duplicate_last,
        rewrite_reordered,
        rewrite_spaced,
        rewrite_space_inside_message,
        rewrite_escaped,
        rewrite_float,
        rewrite_exponent,
        rewrite_utf16,
        rewrite_unknown_field,
    ],
)
def test_another_spelling_of_the_same_file_is_a_no(rewrite: Callable[[bytes], bytes]) -> None:
    receipt, _proof, trust = build(*ONE)
    changed = rewrite(receipt)
    assert changed != receipt
    assert outcome(changed, trust) == "no"


# --- fuzz ---


def list_places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Path of every value in a JSON document."""
    places = [path] if path else []
    if isinstance(value, dict):
        for key in value:
            places += list_places(value[key], (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            places += list_places(item, (*path, index))
    return places


def get_at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**53, 2**63, -(2**63) - 1, 10**400])
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=40).map(lambda data: msgspec.json.decode(msgspec.json.encode(data))),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3)
    ),
    max_leaves=4,
)


def encode_loose(value: Any) -> bytes:
    """Sorted and compact as the real form, whatever the values are."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([ONE, FOUR, HEIRS]), st.integers(0, 1), st.data())
def test_fuzz_changed_values_never_give_a_false_yes(
    names: tuple[str, ...], which: int, data: st.DataObject
) -> None:
    original = build_any(names)[which]
    trust = build_any(names)[2]
    document = json.loads(original)
    for _ in range(data.draw(st.integers(1, 3))):
        places = list_places(document)
        path = data.draw(st.sampled_from(places))
        parent = get_at(document, path[:-1])
        action = data.draw(st.sampled_from(["junk", "copy", "delete", "double"]))
        if action == "junk":
            parent[path[-1]] = data.draw(JUNK)
        elif action == "copy":
            other = data.draw(st.sampled_from(places))
            parent[path[-1]] = json.loads(json.dumps(get_at(document, other)))
        elif action == "delete":
            del parent[path[-1]]
            if not document:
                break
        elif isinstance(parent, list):
            parent.append(json.loads(json.dumps(parent[path[-1]])))
    check_no_false_yes(encode_loose(document), original, trust)


def check_no_false_yes(changed: bytes, original: bytes, trust: TrustRoot) -> None:
    """A changed file may only say less (no message, no events), never anything else."""
    verdict = verify_receipt(changed, trust)
    msgspec.json.encode(verdict)
    if verdict.outcome == "yes" and changed != original:
        before, after = json.loads(original), json.loads(changed)
        for name in ("message", "events"):
            if after.get(name, 0) is None:
                before.pop(name), after.pop(name)
        assert before == after
    assert verify_receipt(changed, None).outcome in ("no", "could_not_judge")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([ONE, FOUR, HEIRS]), st.integers(0, 1), st.data())
def test_fuzz_changed_bytes_are_a_no(
    names: tuple[str, ...], which: int, data: st.DataObject
) -> None:
    original = build_any(names)[which]
    trust = build_any(names)[2]
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, min(len(original), start + 60)))
    patch = data.draw(st.binary(max_size=20) | st.sampled_from([original[start // 2 : start]]))
    changed = original[:start] + patch + original[end:]
    if changed != original:
        assert outcome(changed, trust) == "no"


@given(st.binary(max_size=300))
def test_fuzz_any_bytes_are_a_no(data: bytes) -> None:
    assert outcome(data, build(*ONE)[2]) == "no"


@given(JUNK)
def test_fuzz_any_json_is_a_no(value: Any) -> None:
    assert outcome(encode_loose(value), build(*ONE)[2]) == "no"


def test_text_of_a_hostile_file_is_safe_at_a_terminal() -> None:
    receipt, _proof, _trust = build(*ONE)
    document = json.loads(receipt)
    document["chain"] = document["header"]["chain_id"] = "\x1b[2Jowned\u202e" + "x" * 1000
    verdict = verify_receipt(encode_loose(document), None)
    for step in verdict.steps:
        assert step.text.isprintable()
        assert len(step.text) < 1000


# --- files ---


def find(trust: TrustRoot) -> Callable[[str], tuple[TrustRoot, ...]]:
    return lambda chain: (trust,) if chain == trust.chain else ()


def test_file_and_symlink_to_it_are_judged(tmp_path: Path) -> None:
    receipt, _proof, trust = build(*ONE)
    path = tmp_path / "receipt.json"
    path.write_bytes(receipt)
    (tmp_path / "link").symlink_to(path)
    assert verify_file(path, find(trust), now=NOW).outcome == "yes"
    assert verify_file(tmp_path / "link", find(trust), now=NOW).outcome == "yes"
    assert verify_file(path, lambda _chain: ()).outcome == "could_not_judge"


def test_what_is_no_file_could_not_be_judged(tmp_path: Path) -> None:
    _receipt, _proof, trust = build(*ONE)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "to_fifo").symlink_to(tmp_path / "fifo")
    places = [
        tmp_path,
        Path("a\x00b"),
        Path("/dev/zero"),
        Path("/dev/null"),
        tmp_path / ("x" * 300),
    ]
    places += [tmp_path / name for name in ("missing", "fifo", "loop", "to_fifo")]
    for place in places:
        verdict = verify_file(place, find(trust), now=NOW)
        assert verdict.outcome == "could_not_judge", place
        assert verdict.steps[0].ok is None


def test_file_one_byte_too_large_is_refused(tmp_path: Path) -> None:
    receipt, _proof, trust = build(*ONE)
    path = tmp_path / "large.json"
    path.write_bytes(receipt + b" " * (FILE_BYTES_MAX + 1 - len(receipt)))
    verdict = verify_file(path, find(trust), now=NOW)
    assert verdict.outcome == "no"
    assert "larger than any receipt" in verdict.steps[0].text


def test_verifier_loads_few_modules() -> None:
    """A cold check stays fast: no command line, no network, no other cryptography, no engine."""
    script = "import sys, hansa.client.verify; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = {name for name in done.stdout.split() if not name.startswith("_")}
    heavy = {
        "click",
        "rich",
        "httpx",
        "cryptography",
        "sqlalchemy",
        "litestar",
        "asyncio",
        "socket",
    }
    assert not heavy & loaded
    houses = {name.split(".")[1] for name in loaded if name.startswith("hansa.")}
    assert houses == {"client", "comet", "crypto", "encoding", "ledger", "primitives"}


MEMORY_MAX = 160 * 2**20
LIMITED = f"""
import resource, sys
from pathlib import Path
from hansa.client.verify import verify_file
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_MAX}, {MEMORY_MAX}))
for path in sys.argv[1:]:
    print(verify_file(Path(path), lambda chain: ()).outcome)
"""


def fill(head: bytes, item: bytes, tail: bytes) -> bytes:
    """As many items as a file may hold."""
    count = (FILE_BYTES_MAX - len(head) - len(tail)) // (len(item) + 1)
    return head + b",".join([item] * count) + tail


def list_hostile() -> dict[str, bytes]:
    """Files of the largest size, each made to cost most in another place."""
    receipt, _proof, _trust = build(*ONE)
    document = json.loads(receipt)

    def replaced(name: str, item: bytes) -> bytes:
        marked = encode_loose(document | {name: "@"})
        head, tail = marked.split(f'"{name}":"@"'.encode())
        return fill(head + f'"{name}":['.encode(), item, b"]" + tail)

    validator = encode_loose(document["validators"][0])
    header = encode_loose(json.loads(build_led()[0])["headers"][0])
    many = document | {"validators": [document["validators"][0]] * VALIDATORS_MAX}
    return {
        "deep": b"[" * FILE_BYTES_MAX,
        "deep objects": b'{"a":' * (FILE_BYTES_MAX // 5),
        "deep inside": encode_loose(document | {"message": "@"}).replace(
            b'"@"', b"[" * 1_900_000 + b"]" * 1_900_000
        ),
        "lists": fill(b"[", b"[]", b"]"),
        "message": replaced("message", b"[]"),
        "message of objects": replaced("message", b'{"a":{}}'),
        "events": replaced("events", b"[]"),
        "path": replaced("path", b'{"hash":"","side":"left"}'),
        "validators": replaced("validators", validator),
        "headers": replaced("headers", header),
        "headers of nothing": replaced("headers", b"{}"),
        "validators, as many as may be": encode_loose(many),
        "digits": b'{"height":' + b"9" * (FILE_BYTES_MAX - 20) + b"}",
        "string": b'{"chain":"' + b"\\u4e2d" * 600_000 + b'"}',
        "zeros": bytes(FILE_BYTES_MAX),
    }


def test_hostile_files_use_little_memory(tmp_path: Path) -> None:
    """A 1 GiB file, and files of the largest size made to cost most, under a limit of memory."""
    sparse = tmp_path / "sparse.json"
    with sparse.open("wb") as stream:
        stream.truncate(2**30)
    paths = [sparse]
    for name, data in list_hostile().items():
        assert len(data) <= FILE_BYTES_MAX, name
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["no"] * len(paths)
