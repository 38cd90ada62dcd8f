"""Keys and signatures of the browser: what Chromium builds and signs, Python takes as its own."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from hansa.api.sessions import _decode_statement
from hansa.client.keys import generate_signer, seal_signer
from hansa.client.transactions import Draft, build_payload
from hansa.contracts.accounts.keys import check_possession
from hansa.contracts.accounts.model import AddKey
from hansa.crypto.signatures import verify_signature
from hansa.encoding.canonical import CanonicalError, decode_canonical, encode_canonical
from hansa.encoding.text import decode_base64url
from hansa.identity.did import compute_did, parse_jwk
from hansa.ledger.transactions import decode_transaction
from tests.console.bench import open_bench, run
from tests.ledger.toy import Count

pytestmark = pytest.mark.slow

VECTORS = Path(__file__).parents[1] / "vectors" / "encoding" / "canonical.json"
ALGORITHMS = ("EdDSA", "ES256")
MEMBER = "did:hansa:" + "m" * 32


@pytest.fixture(scope="module")
def bench(chromium: Browser) -> Iterator[Page]:
    """A page without a server."""
    with open_bench(chromium) as page:
        yield page


# --- canonical JSON ---

DECODE = """
const { decodeCanonical, encodeCanonical, CanonicalError } = await load("canonical");
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (each) => parseInt(each, 16));
const hex = (data) => Array.from(data, (each) => each.toString(16).padStart(2, "0")).join("");
return given.map((each) => {
  try {
    return { again: hex(encodeCanonical(decodeCanonical(bytes(each), 1_000_000))) };
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error;
    return { refused: error.message };
  }
});
"""


def read_in_python(data: bytes) -> dict[str, str]:
    try:
        return {"again": encode_canonical(decode_canonical(data, size_max=1_000_000)).hex()}
    except CanonicalError as error:
        return {"refused": str(error)}


def test_canonical_json_is_taken_and_refused_in_the_same_words(bench: Page) -> None:
    cases = json.loads(VECTORS.read_text("utf-8"))["cases"]
    data = [bytes.fromhex(case["hex"]) for case in cases]
    said = run(bench, DECODE, [each.hex() for each in data])
    for case, each, answer in zip(cases, data, said, strict=True):
        assert answer == read_in_python(each), case["name"]
        assert ("again" in answer) is case["canonical"]


def test_broken_json_is_refused_in_the_same_words(bench: Page) -> None:
    """Documents with a few bytes changed, taken out or doubled, from a fixed seed."""
    chance = random.Random(5)
    seeds = [
        '{"a":[1,-2,{"b":"é\\u0001\\"x"}],"c":null,"d":9007199254740991,"e":true}'.encode(),
        b'[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]',
        '{"text":"港澳 \U0001f600 \\n","z":{"a":{},"b":[]}}'.encode(),
    ]
    pieces = [
        b"",
        b",",
        b"1.5",
        b"0",
        b'"',
        b"\\ud800",
        b"\xff",
        b" ",
        b"[",
        b"]",
        b"{",
        b"}",
        b"-",
    ]
    broken = []
    for _ in range(3_000):
        data = chance.choice(seeds)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data))
            data = data[:at] + chance.choice(pieces) + data[at + chance.randint(0, 2) :]
        broken.append(data)
    said = run(bench, DECODE, [each.hex() for each in broken])
    for data, answer in zip(broken, said, strict=True):
        assert answer == read_in_python(data), data


@pytest.mark.parametrize(
    "value",
    ["1.5", "NaN", "2 ** 53", "-(2n ** 53n)", "undefined", "new Map()", "() => 1", "'\\ud800'"],
)
def test_invalid_values_are_never_written(bench: Page, value: str) -> None:
    script = f"""
    const {{ encodeCanonical, CanonicalError }} = await load("canonical");
    try {{ encodeCanonical({{ a: [{value}] }}); }} catch (error) {{
      return error instanceof CanonicalError;
    }}
    return false;
    """
    assert run(bench, script) is True


# --- keys ---


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_made_here_signs_as_the_ledger_wants_and_never_leaves(bench: Page, alg: str) -> None:
    """Low s too: of 64 signatures by ES256 about half need it."""
    script = """
    const { makeKey, sign, describePublic, storeKey, needKey, computeDid } = await load("keys");
    const { encodeBase64url } = await load("base64url");
    const made = await makeKey({ name: "mine", alg: given });
    await storeKey(made);
    const key = await needKey(made.kid);
    const refused = await Promise.all(["jwk", "pkcs8", "raw"].map((format) =>
      crypto.subtle.exportKey(format, key.secret).then(() => "given out", (error) => error.name)));
    const signatures = [];
    for (let each = 0; each < 64; each += 1) {
      signatures.push(encodeBase64url(await sign(key, Uint8Array.of(each))));
    }
    return { kid: key.kid, did: await computeDid(key.jwk), jwk: key.jwk, refused, signatures,
             public: describePublic(key), extractable: key.secret.extractable };
    """
    made = run(bench, script, alg)
    public = parse_jwk(made["jwk"])
    assert made["public"] == msgspec.to_builtins(public)
    assert made["did"] == compute_did(public)
    assert made["kid"] == f"{made['did']}#k1"
    assert not made["extractable"]
    assert "given out" not in made["refused"]
    for number, signature in enumerate(made["signatures"]):
        verify_signature(public, bytes([number]), decode_base64url(signature))


OPEN = """
const { readKeyFile, openKeyFile, KeyFileFault } = await load("key_file");
const { sign } = await load("keys");
const { encodeBase64url } = await load("base64url");
try {
  const key = await openKeyFile(readKeyFile(given.text), given.passphrase);
  const signature = encodeBase64url(await sign(key, Uint8Array.of(7)));
  return { kid: key.kid, name: key.name, jwk: key.jwk, signature,
           extractable: key.secret.extractable };
} catch (error) {
  if (!(error instanceof KeyFileFault)) throw error;
  return { fault: error.code };
}
"""


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("passphrase", [None, "pass 香港"])
def test_a_key_file_opens_as_on_the_command_line(
    bench: Page, alg: str, passphrase: str | None
) -> None:
    signer = generate_signer("ada", alg=alg)
    text = encode_canonical(seal_signer(signer, passphrase)).decode()
    opened = run(bench, OPEN, {"text": text, "passphrase": passphrase or ""})
    assert (opened["kid"], opened["name"]) == (signer.kid, "ada")
    assert not opened["extractable"]
    verify_signature(parse_jwk(opened["jwk"]), b"\x07", decode_base64url(opened["signature"]))


def test_invalid_key_files_say_why(bench: Page) -> None:
    signer, other = generate_signer("ada"), generate_signer("bea")
    plain = msgspec.to_builtins(seal_signer(signer, None))
    sealed = msgspec.to_builtins(seal_signer(signer, "secret"))
    swapped = plain | {"jwk": other.private.public.jwk()}
    greedy = sealed | {"seal": sealed["seal"] | {"n": 2**20, "r": 16}}
    cases: list[tuple[Any, str, str]] = [
        (sealed, "", "sealed"),
        (sealed, "wrong", "wrong_passphrase"),
        (sealed | {"kid": other.kid}, "secret", "wrong_passphrase"),
        (greedy, "secret", "damaged"),
        (swapped, "", "damaged"),
        (plain | {"d": plain["d"][:-1]}, "", "damaged"),
        (plain | {"d": ""}, "", "damaged"),
        (plain | {"kid": "did:hansa:x"}, "", "damaged"),
        (plain | {"kind": "hansa.key/2"}, "", "not_one"),
        (plain | {"note": ""}, "", "not_one"),
        (msgspec.to_builtins(seal_signer(generate_signer("cai", alg="SM2"), None)), "", "sm2"),
        ({}, "", "not_one"),
        ([], "", "not_one"),
        ("x" * 9_000, "", "not_one"),
    ]
    for file, passphrase, code in cases:
        text = json.dumps(file)
        assert run(bench, OPEN, {"text": text, "passphrase": passphrase}) == {"fault": code}, text
    assert run(bench, OPEN, {"text": "{", "passphrase": ""}) == {"fault": "not_one"}


def test_keys_opened_for_a_session_are_forgotten_others_kept(bench: Page) -> None:
    script = """
    const { makeKey, storeKey, listKeys, forgetLent, forgetKey } = await load("keys");
    for (const { kid } of await listKeys()) await forgetKey(kid);
    await storeKey(await makeKey({ name: "kept" }));
    await storeKey(await makeKey({ name: "lent" }), { kept: false });
    const before = (await listKeys()).map(({ name }) => name);
    await forgetLent();
    return [before, (await listKeys()).map(({ name }) => name)];
    """
    assert run(bench, script) == [["kept", "lent"], ["kept"]]


# --- what is signed ---

SIGN = """
const { openKeyFile, readKeyFile } = await load("key_file");
const { storeKey } = await load("keys");
const { buildAndSign, buildPayload, showPayload } = await load("transaction");
const key = await openKeyFile(readKeyFile(given.key));
await storeKey(key);
const request = { ...given.request, kid: key.kid, signers: [key.kid], unique: new Uint8Array(16) };
const { jws, id } = await buildAndSign(request);
return { jws, id, payload: showPayload(buildPayload(request)) };
"""


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_transaction_signed_here_is_the_ledgers_own(bench: Page, alg: str) -> None:
    signer = generate_signer("ada", alg=alg)
    body = {"v": 1, "limit": 9, "id": '港 é e\u0301 \U0001f600 "\\\n', "by": 2**53 - 1}
    request = {
        "chain": "bay-1",
        "height": 40,
        "blocks": 100,
        "mode": "independent",
        "messages": [{"app": "counter", "type": "Count", "body": body}] * 2,
    }
    key = encode_canonical(seal_signer(signer, None)).decode()
    made = run(bench, SIGN, {"key": key, "request": request})
    draft = Draft("counter", Count(id=body["id"], by=2**53 - 1, limit=9))  # type: ignore[arg-type]
    expected = build_payload(
        chain="bay-1",
        expiry=140,
        drafts=[draft, draft],
        signers=[signer.kid],
        mode="independent",
        unique=bytes(16),
    )
    assert made["payload"] == expected.decode()
    transaction = decode_transaction(made["jws"].encode())
    assert transaction.hex_id == made["id"]
    [signature] = transaction.signatures
    verify_signature(signer.private.public, signature.signing_input, signature.signature)


def test_a_session_statement_is_the_gateways_own(bench: Page) -> None:
    """And cannot pass for a transaction."""
    signer = generate_signer("ada")
    script = """
    const { openKeyFile, readKeyFile } = await load("key_file");
    const { answerChallenge } = await load("session");
    const key = await openKeyFile(readKeyFile(given));
    globalThis.fetch = async (path, { body }) => {
      globalThis.asked = [path, body];
      return new Response(JSON.stringify({ challenge: "abc", chain: "bay-1" }));
    };
    return { jws: await answerChallenge(key), asked: globalThis.asked };
    """
    made = run(bench, script, encode_canonical(seal_signer(signer, None)).decode())
    question = json.dumps({"account": signer.account}, separators=(",", ":"))
    assert made["asked"] == ["/v1/sessions/challenge", question]
    header, statement, signing_input, signature = _decode_statement(made["jws"].encode())
    assert (header.kid, header.alg) == (signer.kid, "EdDSA")
    assert (statement.account, statement.challenge) == (signer.account, "abc")
    verify_signature(signer.private.public, signing_input, signature)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_new_key_proves_itself_to_its_account(bench: Page, alg: str) -> None:
    account = generate_signer("ada").account
    script = """
    const { makeKey } = await load("keys");
    const { describeAddKey } = await load("possession");
    const { alg, account, member } = given;
    const key = await makeKey({ name: "x", alg, account, fragment: "k2" });
    return describeAddKey(key, { chain: "bay-1", member });
    """
    made = run(bench, script, {"alg": alg, "account": account, "member": MEMBER})
    assert (made["app"], made["type"]) == ("accounts", "AddKey")
    message = msgspec.convert(made["body"], AddKey)
    assert (message.account, message.key_id, message.key.alg) == (account, "k2", alg)
    check_possession(
        "bay-1",
        account=account,
        member=MEMBER,
        key_id="k2",
        key=message.key,
        possession=message.possession,
    )


def test_scrypt_is_that_of_the_rfc(bench: Page) -> None:
    """RFC 7914 section 12, all but the last, which wants a gigabyte."""
    script = """
    const { scrypt } = await load("scrypt");
    const { encodeHex } = await load("base64url");
    const text = (each) => new TextEncoder().encode(each);
    const small = await scrypt(text(""), text(""), { n: 16, r: 1, p: 1, size: 64 });
    const usual = await scrypt(text("password"), text("NaCl"), { n: 1024, r: 8, p: 16, size: 64 });
    return [encodeHex(small), encodeHex(usual)];
    """
    small, usual = run(bench, script)
    assert small.startswith("77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442")
    assert usual.startswith("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
