"""Write `transactions.json`: signed transactions as carried, good ones and every way to be wrong.

Usage, from the repository: .venv/bin/python -m tests.vectors.encoding.generate.make_transactions >
tests/vectors/encoding/transactions.json

The forms are built by `transaction_forms`, not by our encoder.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric import utils
from tests.vectors.encoding.generate.transaction_forms import (
    ADA,
    BEA,
    EIGHT,
    EVE,
    P256_ORDER,
    b64,
    canon,
    carry,
    loosen,
    make_message,
    make_payload,
)


def make_good() -> Iterator[tuple[str, bytes]]:
    yield "one signer, EdDSA", carry(make_payload())
    yield "one signer, ES256", carry(make_payload(BEA), BEA)
    yield "two signers", carry(make_payload(ADA, BEA), ADA, BEA)
    yield "two signers in the other order, so named", carry(make_payload(BEA, ADA), BEA, ADA)
    yield (
        "independent messages",
        carry(
            make_payload(
                ADA,
                BEA,
                mode="independent",
                messages=[make_message(sender=n % 2) for n in range(5)],
            ),
            ADA,
            BEA,
        ),
    )
    yield "500 messages", carry(make_payload(messages=[make_message()] * 500))
    yield "eight signers", carry(make_payload(*EIGHT), *EIGHT)
    yield (
        "text in any script, not normalised",
        carry(make_payload(messages=[make_message(body={"a": "é e\u0301 \U0001f600", "v": 1})])),
    )


def make_malformed() -> Iterator[tuple[str, bytes]]:
    yield from make_wrong_forms()
    yield from make_wrong_payloads()
    yield from make_wrong_headers()
    yield from make_wrong_json_jws()


def make_wrong_forms() -> Iterator[tuple[str, bytes]]:
    good = carry(make_payload())
    head, text, signature = good.decode().split(".")
    yield "nothing", b""
    yield "space", b" "
    yield "two parts", f"{head}.{text}".encode()
    yield "four parts", good + b".QQ"
    yield "empty header", f".{text}.{signature}".encode()
    yield "empty payload", f"{head}..{signature}".encode()
    yield "space before", b" " + good
    yield "newline after", good + b"\n"
    yield "zero byte after", good + b"\x00"
    yield "byte outside ASCII", good + b"\xff"
    yield "padded header", f"{head}=.{text}.{signature}".encode()
    yield "padded payload", f"{head}.{text}==.{signature}".encode()
    yield "padded signature", f"{good.decode()}==".encode()
    yield "newline in the payload", f"{head}.{text[:9]}\n{text[9:]}.{signature}".encode()
    yield "standard alphabet", f"{head}.{text}.{signature[:-1]}+".encode()
    yield "loose bits in the signature", loosen(good, 2)
    yield "loose bits in the payload", loosen(carry(make_payload(chain="bay-10")), 1)
    yield (
        "payload as text, not base64url",
        b".".join([head.encode(), canon(make_payload()), signature.encode()]),
    )
    yield (
        "longer than 1,000,000 bytes",
        carry(make_payload(messages=[make_message(body={"a": "a" * 150_000, "v": 1})] * 6)),
    )


def make_wrong_payloads() -> Iterator[tuple[str, bytes]]:
    text = canon(make_payload()).decode()

    def edited(old: str, new: str) -> bytes:
        if text.count(old) != 1:
            raise ValueError(f"{old} is not there once")
        return carry(text.replace(old, new).encode())

    yield "duplicate key in the payload", edited('"chain":', '"chain":"bay-1","chain":')
    yield "duplicate key in a body", edited('"net":10000,', '"net":10000,"net":10000,')
    yield (
        "keys in other order",
        edited('"chain":"bay-1","expiry":40,', '"expiry":40,"chain":"bay-1",'),
    )
    yield (
        "keys of a body in other order",
        edited('"id":"F-1","net":10000,', '"net":10000,"id":"F-1",'),
    )
    for name, number in (
        ("float", "10000.5"),
        ("whole float", "10000.0"),
        ("exponent", "1e4"),
        ("minus zero", "-0"),
        ("integer 2**53", "9007199254740992"),
        ("leading zero", "010000"),
        ("not a number", "NaN"),
    ):
        yield f"{name} in a body", edited('"net":10000', f'"net":{number}')
    yield "float as expiry", edited('"expiry":40', '"expiry":40.0')
    yield "space in the payload", edited('"expiry":40', '"expiry": 40')
    yield "newline after the payload", carry((text + "\n").encode())
    yield "byte order mark", carry(b"\xef\xbb\xbf" + text.encode())
    yield "key outside ASCII", edited('"note":', '"noté":')
    yield "escaped letter", edited('"F-1"', '"\\u0046-1"')
    yield "escaped text outside ASCII", edited("香", "\\u9999")
    yield "raw control character", edited("F-1", "F\x01")
    yield "lone surrogate", edited("F-1", "\\ud800")
    yield (
        "surrogate in UTF-8",
        carry(text.replace("香", "@").encode().replace(b"@", b"\xed\xa0\x80")),
    )
    yield "invalid UTF-8", carry(text.replace("香", "@").encode().replace(b"@", b"\xff"))
    yield "too deep", edited('"net":10000', '"net":' + "[" * 14 + "]" * 14)
    yield "far too deep", edited('"net":10000', '"net":' + "[" * 900 + "]" * 900)
    yield "payload that is a list", carry(b"[]")
    yield "payload that is null", carry(b"null")
    for field in ("chain", "expiry", "id", "messages", "mode", "signers", "v"):
        payload = make_payload()
        del payload[field]
        yield f"payload without {field}", carry(payload)
        yield f"payload with {field} null", carry(make_payload(**{field: None}))
    for name, changes in (
        ("extra field", {"note": "x"}),
        ("version 2", {"v": 2}),
        ("version true", {"v": True}),
        ("mode that is not", {"mode": "both"}),
        ("expiry as text", {"expiry": "40"}),
        ("expiry true", {"expiry": True}),
        ("expiry 0", {"expiry": 0}),
        ("expiry negative", {"expiry": -1}),
        ("id of 15 bytes", {"id": b64(bytes(15))}),
        ("id of 17 bytes", {"id": b64(bytes(17))}),
        ("id padded", {"id": b64(bytes(16)) + "=="}),
        ("id with loose bits", {"id": "A" * 21 + "B"}),
        ("id as number", {"id": 7}),
        ("chain as number", {"chain": 7}),
        ("no messages", {"messages": []}),
        ("501 messages", {"messages": [make_message()] * 501}),
        ("messages as object", {"messages": make_message()}),
        ("no signers", {"signers": []}),
        ("signers as text", {"signers": ADA[1]}),
        ("another signer", {"signers": [BEA[1]]}),
        ("a signer who did not sign", {"signers": [ADA[1], BEA[1]]}),
        ("a signer twice", {"signers": [ADA[1], ADA[1]]}),
    ):
        yield f"payload with {name}", carry(make_payload(**changes))
    yield from make_wrong_messages()


def make_wrong_messages() -> Iterator[tuple[str, bytes]]:
    for field in ("app", "body", "sender", "type"):
        message = make_message()
        del message[field]
        yield f"message without {field}", carry(make_payload(messages=[message]))
    shapes: tuple[tuple[str, Any], ...] = (
        ("extra field", make_message(note="x")),
        ("sender that is no signer", make_message(sender=1)),
        ("negative sender", make_message(sender=-1)),
        ("sender as text", make_message(sender="0")),
        ("sender true", make_message(sender=True)),
        ("app as number", make_message(app=1)),
        ("type null", make_message(type=None)),
        ("more than 256,000 bytes", make_message(body={"a": "a" * 256_000, "v": 1})),
        ("text instead of an object", "x"),
        ("null instead of an object", None),
    )
    for name, shape in shapes:
        yield f"message with {name}", carry(make_payload(messages=[make_message(), shape]))


def make_wrong_headers() -> Iterator[tuple[str, bytes]]:
    alg, kid, _key = ADA
    payload = make_payload()
    for name, header in (
        ("no kid", canon({"alg": alg})),
        ("no alg", canon({"kid": kid})),
        ("a typ", canon({"alg": alg, "kid": kid, "typ": "JWT"})),
        ("a crit", canon({"alg": alg, "crit": ["b64"], "kid": kid})),
        ("a jwk", canon({"alg": alg, "jwk": {"kty": "OKP"}, "kid": kid})),
        ("b64 false", canon({"alg": alg, "b64": False, "kid": kid})),
        ("other order", f'{{"kid":"{kid}","alg":"{alg}"}}'.encode()),
        ("a space", f'{{"alg":"{alg}", "kid":"{kid}"}}'.encode()),
        ("alg twice", f'{{"alg":"{alg}","alg":"{alg}","kid":"{kid}"}}'.encode()),
        ("an escape", f'{{"alg":"\\u0045dDSA","kid":"{kid}"}}'.encode()),
        ("alg null", canon({"alg": None, "kid": kid})),
        ("alg as list", canon({"alg": [alg], "kid": kid})),
        ("kid as number", canon({"alg": alg, "kid": 1})),
        ("another kid", canon({"alg": alg, "kid": kid[:-1] + "2"})),
        ("kid without key", canon({"alg": alg, "kid": kid.split("#")[0]})),
        ("a list", b"[]"),
        ("nothing", b""),
        ("no JSON", b"alg"),
        ("more than 300 bytes", canon({"alg": "E" * 300, "kid": kid})),
    ):
        yield f"header with {name}", carry(payload, header=header)


def make_wrong_json_jws() -> Iterator[tuple[str, bytes]]:
    both = make_payload(ADA, BEA)
    good = json.loads(carry(both, ADA, BEA))
    first, second = good["signatures"]
    text = good["payload"]
    yield "signatures in other order", carry(both, BEA, ADA)
    yield "one signature missing", canon({"payload": text, "signatures": [first]})
    yield "no signatures", canon({"payload": text, "signatures": []})
    yield "a signature too many", canon({"payload": text, "signatures": [first, second, second]})
    yield "a signature twice", canon({"payload": text, "signatures": [first, first]})
    yield "nine signers", carry(make_payload(*EIGHT, ADA), *EIGHT, ADA)
    yield (
        "JSON form for one signer",
        canon(
            {
                "payload": b64(canon(make_payload())),
                "signatures": [
                    json.loads(carry(make_payload(ADA, BEA), ADA, BEA))["signatures"][0]
                ],
            }
        ),
    )
    yield "flattened form", canon({"payload": text, **first})
    yield "compact form for two signers", carry(make_payload(ADA, BEA))
    for name, changed in (
        ("an unprotected header", {**good, "header": {"kid": ADA[1]}}),
        ("no payload", {"signatures": [first, second]}),
        ("payload null", {**good, "payload": None}),
        ("payload as object", {**good, "payload": both}),
        ("padded payload", {**good, "payload": text + "="}),
        ("signatures as object", {**good, "signatures": first}),
        ("unprotected in a signature", {**good, "signatures": [{**first, "header": {}}, second]}),
        ("signature null", {**good, "signatures": [{**first, "signature": None}, second]}),
        (
            "signature padded",
            {**good, "signatures": [{**first, "signature": first["signature"] + "=="}, second]},
        ),
        ("no protected", {**good, "signatures": [{"signature": first["signature"]}, second]}),
    ):
        yield f"JSON form with {name}", canon(changed)
    yield "JSON form with spaces", json.dumps(good).encode()
    yield (
        "JSON form in other order",
        json.dumps(
            {"signatures": good["signatures"], "payload": text}, separators=(",", ":")
        ).encode(),
    )
    yield "JSON form with newline after", canon(good) + b"\n"
    yield (
        "JSON form with duplicate key",
        canon(good).replace(b'{"payload":', b'{"payload":"QQ","payload":', 1),
    )


def make_unsigned() -> Iterator[tuple[str, bytes, str]]:
    """Canonical, but not signed by whom they name: name, bytes, reason."""
    _alg, kid, _key = ADA
    good = carry(make_payload())
    head, text, signature = good.decode().split(".")
    stolen = ("EdDSA", kid, EVE[2])
    yield "signed by another key", carry(make_payload(), stolen), "signature"
    yield (
        "signature of another payload",
        ".".join([head, b64(canon(make_payload(expiry=41))), signature]).encode(),
        "signature",
    )
    flipped = bytearray(base64.urlsafe_b64decode(signature + "=="))
    flipped[5] ^= 1
    yield "a flipped bit", f"{head}.{text}.{b64(bytes(flipped))}".encode(), "signature"
    yield "no signature", f"{head}.{text}.".encode(), "signature"
    yield "signature cut", f"{head}.{text}.{b64(bytes(flipped[:63]))}".encode(), "signature"
    yield "signature grown", f"{head}.{text}.{b64(bytes(flipped) + b'0')}".encode(), "signature"
    yield "high s", carry(make_payload(BEA), BEA, high_s=True), "signature"
    for alg in ("ES256", "none", "HS256", "eddsa", "EdDSA ", "ES256K", ""):
        yield (
            f"alg {alg!r} for an EdDSA key",
            carry(make_payload(), header=canon({"alg": alg, "kid": kid})),
            "signature",
        )
    der = utils.encode_dss_signature(1, 1)
    bea_head = b64(canon({"alg": "ES256", "kid": BEA[1]}))
    bea_text = b64(canon(make_payload(BEA)))
    for name, raw in (
        ("in DER", der),
        ("r = 0", bytes(32) + (1).to_bytes(32, "big")),
        ("s = 0", (1).to_bytes(32, "big") + bytes(32)),
        ("r = order", P256_ORDER.to_bytes(32, "big") + (1).to_bytes(32, "big")),
        ("all ones", bytes([255]) * 64),
    ):
        yield f"ES256 signature {name}", f"{bea_head}.{bea_text}.{b64(raw)}".encode(), "signature"
    both = json.loads(carry(make_payload(ADA, BEA), ADA, BEA))
    one, two = both["signatures"]
    swapped = [
        {"protected": one["protected"], "signature": two["signature"]},
        {"protected": two["protected"], "signature": one["signature"]},
    ]
    yield "signatures exchanged", canon({**both, "signatures": swapped}), "signature"
    second_wrong = [one, {**two, "signature": one["signature"]}]
    yield "second signature wrong", canon({**both, "signatures": second_wrong}), "signature"
    yield "for another chain", carry(make_payload(chain="bay-2")), "chain"


def describe(name: str, data: bytes, verdict: str) -> dict[str, Any]:
    case: dict[str, Any] = {"name": name, "verdict": verdict}
    # Long ones are given by their digest; `list_cases` has their bytes.
    case["hex" if len(data) <= 20_000 else "sha256_of_bytes"] = (
        data.hex() if len(data) <= 20_000 else hashlib.sha256(data).hexdigest()
    )
    if verdict != "malformed":
        text = json.loads(data)["payload"] if data[:1] == b"{" else data.decode().split(".")[1]
        payload = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        case["id"] = hashlib.sha256(payload).hexdigest()
        case["payload"] = payload.decode() if len(payload) < 2_000 else None
    return case


def list_cases() -> Iterator[tuple[str, bytes, str]]:
    yield from ((name, data, "holds") for name, data in make_good())
    yield from ((name, data, "malformed") for name, data in make_malformed())
    yield from make_unsigned()


def make_document() -> dict[str, Any]:
    signers = [ADA, BEA, EVE, *EIGHT]
    return {
        "chain": "bay-1",
        "verdicts": {
            "holds": "canonical, for this chain, every signature holds",
            "malformed": "not the one canonical form: no verifier may take it",
            "signature": "canonical, but a signature does not hold under the named key",
            "chain": "canonical and signed, for another chain",
        },
        "keys": {kid: {"alg": alg, "public": key.public.public} for alg, kid, key in signers},
        "cases": [describe(*case) for case in list_cases()],
    }


if __name__ == "__main__":
    print(json.dumps(make_document(), indent=1))
