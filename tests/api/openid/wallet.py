"""A wallet: HTTP, JSON and `cryptography` alone. It shares no code with what it tests."""

import base64
import hashlib
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

PRE_AUTHORISED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
FORM = "application/x-www-form-urlencoded"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read_jwt(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified."""
    header, claims, _signature = text.split(".")
    return json.loads(decode(header)), json.loads(decode(claims))


class Key:
    """A P-256 key of the wallet."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        numbers = self.private.public_key().public_numbers()
        self.jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": encode(numbers.x.to_bytes(32, "big")),
            "y": encode(numbers.y.to_bytes(32, "big")),
        }

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """A compact JWS."""
        signed = ".".join(encode(json.dumps(each).encode()) for each in (header, claims))
        der = self.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(der)
        return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def encrypt(jwk: dict[str, str], plain: bytes, enc: str = "A128GCM", **header: Any) -> str:
    """A compact JWE to a P-256 key: ECDH-ES, AES-GCM."""
    own, size = Key(), {"A128GCM": 16, "A256GCM": 32}.get(enc, 16)
    x, y = (int.from_bytes(decode(jwk[name]), "big") for name in ("x", "y"))
    other = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    info = len(enc).to_bytes(4, "big") + enc.encode() + bytes(8) + (8 * size).to_bytes(4, "big")
    shared = own.private.exchange(ec.ECDH(), other)
    key = ConcatKDFHash(hashes.SHA256(), size, info).derive(shared)
    first = {"alg": "ECDH-ES", "enc": enc, "epk": own.jwk, "kid": jwk["kid"], **header}
    head, nonce = encode(json.dumps(first).encode()), bytes(range(12))
    box = AESGCM(key).encrypt(nonce, plain, head.encode())
    return f"{head}..{encode(nonce)}.{encode(box[:-16])}.{encode(box[-16:])}"


class Wallet:
    """Somebody's phone. `public`: the issuer's address, which leads to `url`."""

    def __init__(self, url: str, public: str) -> None:
        self.public = public
        self.http = httpx.Client(base_url=url, timeout=60)

    def reach(self, address: str) -> str:
        assert address.startswith(self.public + "/"), address
        return address.removeprefix(self.public)

    def get(self, address: str, **options: Any) -> httpx.Response:
        return self.http.get(self.reach(address), **options)

    def post(self, address: str, **options: Any) -> httpx.Response:
        return self.http.post(self.reach(address), **options)

    # -- issuance

    def read_metadata(self) -> dict[str, Any]:
        issuer = self.get(f"{self.public}/.well-known/openid-credential-issuer").json()
        server = self.get(f"{self.public}/.well-known/oauth-authorization-server").json()
        assert issuer["credential_issuer"] == server["issuer"] == self.public
        return {**server, **issuer}

    def open_offer(self, uri: str) -> dict[str, Any]:
        parts = urlsplit(uri)
        assert parts.scheme == "openid-credential-offer"
        fields = parse_qs(parts.query, strict_parsing=True)
        if "credential_offer" in fields:
            return dict(json.loads(fields["credential_offer"][0]))
        return dict(self.get(fields["credential_offer_uri"][0]).json())

    def ask_token(self, **form: str) -> httpx.Response:
        return self.post(f"{self.public}/openid/token", data=form)

    def redeem(self, uri: str, **form: str) -> httpx.Response:
        """A token request by the pre-authorised code of an offer."""
        code = self.open_offer(uri)["grants"][PRE_AUTHORISED]["pre-authorized_code"]
        return self.ask_token(**{"grant_type": PRE_AUTHORISED, "pre-authorized_code": code, **form})

    def ask_nonce(self) -> str:
        return str(self.post(f"{self.public}/openid/nonce").json()["c_nonce"])

    def prove(
        self, key: Key, nonce: str | None, *, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """A proof of a key, made now for the issuer; a claim that is None is left out."""
        first = {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": key.jwk, **(header or {})}
        said = {"aud": self.public, "iat": int(time.time()), "nonce": nonce, **claims}
        return key.sign(
            {name: value for name, value in first.items() if value is not None},
            {name: value for name, value in said.items() if value is not None},
        )

    def ask_credential(
        self, token: str, *proofs: str, path: str = "/openid/credential", **members: Any
    ) -> httpx.Response:
        body = {"proofs": {"jwt": list(proofs)}, **members}
        headers = {"authorization": f"Bearer {token}"}
        return self.post(f"{self.public}{path}", json=body, headers=headers)

    def receive(self, uri: str, configuration: str, key: Key, **form: str) -> Any:
        """The whole way from an offer to a credential."""
        token = self.redeem(uri, **form).json()["access_token"]
        proof = self.prove(key, self.ask_nonce())
        answer = self.ask_credential(token, proof, credential_configuration_id=configuration)
        assert answer.status_code == 200, answer.text
        (credential,) = answer.json()["credentials"]
        return credential["credential"]

    # -- presentation

    def fetch_request(self, uri: str, **form: str) -> dict[str, Any]:
        """Claims of the request object that a QR code leads to."""
        fields = {name: each[0] for name, each in parse_qs(urlsplit(uri).query).items()}
        assert uri.startswith("openid4vp://") and fields["request_uri_method"] == "post"
        answer = (
            self.post(fields["request_uri"], data=form) if form else self.get(fields["request_uri"])
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/oauth-authz-req+jwt"
        header, claims = read_jwt(answer.text)
        assert header["typ"] == "oauth-authz-req+jwt" and claims["client_id"] == fields["client_id"]
        return claims

    def present(
        self, credential: str, key: Key, request: dict[str, Any], claims: tuple[str, ...],
        **said: Any,
    ) -> str:  # fmt: skip
        """An SD-JWT VC with only some claims disclosed, bound to a verifier's request."""
        signed, *disclosures = credential.removesuffix("~").split("~")
        shown = [each for each in disclosures if json.loads(decode(each))[1] in claims]
        text = "~".join((signed, *shown, ""))
        digest = encode(hashlib.sha256(text.encode()).digest())
        bound = {
            "aud": request["client_id"],
            "iat": int(time.time()),
            "nonce": request["nonce"],
            "sd_hash": digest,
            **said,
        }
        return text + key.sign({"alg": "ES256", "typ": "kb+jwt"}, bound)

    def answer(self, request: dict[str, Any], token: Any, **form: str) -> httpx.Response:
        """Post a VP token to the verifier."""
        fields = {"vp_token": json.dumps(token), "state": request["state"], **form}
        return self.post(request["response_uri"], data=fields)
