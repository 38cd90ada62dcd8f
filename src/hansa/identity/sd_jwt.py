"""SD-JWT (RFC 9901): claims that their holder discloses one by one. Pure; salts are given.

Compact form only; nested and recursive disclosures, array elements, decoys, SHA-256. Codes of
Malformed besides those of `jws`: not_an_sd_jwt, unknown_hash, reserved_name, wrong_digest_list,
duplicate_digest, duplicate_disclosure, wrong_disclosure, unreferenced_disclosure, claim_collision,
too_many_disclosures, too_deep; when issuing and presenting: unknown_path, weak_salt, too_few_salts.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from hansa.crypto.hashing import sha256
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import TextError, decode_base64url, encode_base64url
from hansa.identity.faults import Malformed
from hansa.identity.json_document import DOCUMENT_BYTES_MAX, parse_document, parse_value
from hansa.identity.jws import Jws, Sign, parse_jws, sign_jws

# Where a claim stands: names of members and places in arrays, ("address", "street"), ("langs", 0).
Path = tuple[str | int, ...]
SALT_BYTES_MIN: Final = 16
DISCLOSURES_MAX: Final = 1_000
PATH_MAX: Final = 64
_RESERVED: Final = frozenset(("_sd", "..."))
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Disclosure(msgspec.Struct, frozen=True):
    """A claim or an array element with its salt. `text`: as it is sent; `path`: where it stands
    among the claims; name None: an array element.
    """

    text: str
    digest: str
    salt: str
    name: str | None
    value: Any
    path: Path = ()


class SdJwt(msgspec.Struct, frozen=True):
    """A parsed SD-JWT: its structure holds, its signatures are not judged yet.

    jws: what the issuer signed. claims: the processed payload (RFC 9901, 7.1). key_binding: the
    compact KB-JWT or "". presented: the text that its sd_hash is over. is_partial: some digests
    have no disclosure (withheld, or decoys).
    """

    jws: Jws
    payload: dict[str, Any]
    claims: dict[str, Any]
    disclosures: tuple[Disclosure, ...]
    presented: str
    key_binding: str = ""
    is_partial: bool = False


# --- issuing ---


def issue_sd_jwt(
    claims: Mapping[str, Any],
    *,
    disclosable: Iterable[Path],
    salts: Sequence[bytes],
    header: Mapping[str, object],
    sign: Sign,
    decoys: Mapping[Path, int] | None = None,
) -> str:
    """Sign claims; those at `disclosable` paths can be withheld by the holder, each by itself.

    A path within another disclosable one makes the outer disclosure recursive. salts: one of 16
    random bytes or more for each path and each decoy, used once. decoys: how many digests of
    nothing are added at a path ((): the top), so that the number of claims does not show.
    """
    builder = _Builder(set(disclosable), dict(decoys or {}), salts)
    payload = builder.build(claims, ())
    builder.check_done()
    if builder.disclosures or decoys:
        payload["_sd_alg"] = "sha-256"
    parts = (sign_jws(payload, header=header, sign=sign), *builder.disclosures, "")
    return "~".join(parts)


class _Builder:
    """Replaces disclosable values by digests, from the leaves up."""

    def __init__(self, paths: set[Path], decoys: dict[Path, int], salts: Sequence[bytes]) -> None:
        if any(len(salt) < SALT_BYTES_MIN for salt in salts) or len(set(salts)) != len(salts):
            raise Malformed("weak_salt", f"a salt has {SALT_BYTES_MIN} random bytes, used once")
        if len(paths) + sum(decoys.values()) > len(salts):
            raise Malformed("too_few_salts", "each disclosure and each decoy needs a salt")
        self.paths, self.decoys, self.salts = paths, decoys, iter(salts)
        self.disclosures: list[str] = []

    def check_done(self) -> None:
        if self.paths or self.decoys:
            missing = min(show_path(path) for path in (*self.paths, *self.decoys))
            raise Malformed("unknown_path", f"no claim at {missing}")

    def build(self, value: Any, path: Path) -> Any:
        if isinstance(value, Mapping):
            return self.build_object(value, path)
        if isinstance(value, list | tuple):
            return self.build_array(value, path)
        return value

    def build_object(self, value: Mapping[str, Any], path: Path) -> dict[str, Any]:
        if _RESERVED & set(value) or (not path and "_sd_alg" in value):
            raise Malformed("reserved_name", "_sd, _sd_alg and ... are not names of claims")
        built: dict[str, Any] = {}
        digests: list[str] = []
        for name, member in value.items():
            here = (*path, name)
            inner = self.build(member, here)
            if here in self.paths:
                digests.append(self.disclose(here, [name, inner]))
            else:
                built[name] = inner
        digests += self.make_decoys(path)
        if digests:
            built["_sd"] = sorted(digests)  # the order of the claims does not show
        return built

    def build_array(self, value: Sequence[Any], path: Path) -> list[Any]:
        built: list[Any] = []
        for place, item in enumerate(value):
            here = (*path, place)
            inner = self.build(item, here)
            is_hidden = here in self.paths
            built.append({"...": self.disclose(here, [inner])} if is_hidden else inner)
        return built + [{"...": digest} for digest in self.make_decoys(path)]

    def disclose(self, path: Path, content: list[Any]) -> str:
        self.paths.discard(path)
        text = encode_base64url(encode_canonical([encode_base64url(next(self.salts)), *content]))
        self.disclosures.append(text)
        return compute_digest(text)

    def make_decoys(self, path: Path) -> list[str]:
        count = self.decoys.pop(path, 0)
        return [encode_base64url(sha256(sha256(next(self.salts)))) for _ in range(count)]


def compute_digest(text: str) -> str:
    """base64url of SHA-256 of ASCII text: of a disclosure, of a presented SD-JWT."""
    return encode_base64url(sha256(text.encode("ascii")))


# --- parsing (RFC 9901, 7.1) ---


def parse_sd_jwt(text: str, *, types: tuple[str, ...]) -> SdJwt:
    """Parse an SD-JWT or SD-JWT+KB and process its disclosures. Raises Malformed.

    types: allowed `typ` of the issuer's JWT. No signature is judged: see `sd_jwt_vc`.
    """
    if len(text) > DOCUMENT_BYTES_MAX or not text.isascii():
        raise Malformed("too_large", f"longer than {DOCUMENT_BYTES_MAX} characters, or not ASCII")
    signed, mark, rest = text.partition("~")
    if not signed or not mark:
        raise Malformed("not_an_sd_jwt", "an SD-JWT has a `~` after its JWT and each disclosure")
    *disclosed, key_binding = rest.split("~")
    if len(disclosed) > DISCLOSURES_MAX:
        raise Malformed("too_many_disclosures", f"more than {DISCLOSURES_MAX} disclosures")
    jws = parse_jws(signed, types=types)
    payload = parse_document(jws.payload)
    if payload.get("_sd_alg", "sha-256") != "sha-256":
        raise Malformed("unknown_hash", "digests are SHA-256 (_sd_alg: sha-256)")
    reader = _Reader(_read_disclosures(disclosed))
    claims = reader.read_object(payload, ())
    claims.pop("_sd_alg", None)
    return SdJwt(
        jws=jws,
        payload=payload,
        claims=claims,
        disclosures=reader.list_used(),
        presented=text[: len(text) - len(key_binding)],
        key_binding=key_binding,
        is_partial=len(reader.seen) > len(reader.used),
    )


def _read_disclosures(texts: Sequence[str]) -> dict[str, Disclosure]:
    found: dict[str, Disclosure] = {}
    for text in texts:
        try:
            content = parse_value(decode_base64url(text))
        except TextError as error:
            raise Malformed("wrong_disclosure", "not strict base64url") from error
        if not isinstance(content, list) or len(content) not in (2, 3):
            raise Malformed("wrong_disclosure", "not an array of two or three elements")
        if not all(isinstance(each, str) for each in content[:-1]):
            raise Malformed("wrong_disclosure", "salt and name are strings")
        digest = compute_digest(text)
        if digest in found:
            raise Malformed("duplicate_disclosure", "a disclosure stands twice")
        name = content[1] if len(content) == 3 else None
        found[digest] = Disclosure(text, digest, content[0], name, content[-1])
    return found


class _Reader:
    """Puts disclosed values where their digests stand."""

    def __init__(self, disclosures: dict[str, Disclosure]) -> None:
        self.disclosures = disclosures
        self.seen: set[str] = set()
        self.used: dict[str, Disclosure] = {}

    def list_used(self) -> tuple[Disclosure, ...]:
        """Disclosures in the order in which they were sent. Raises Malformed for one unused."""
        if len(self.used) != len(self.disclosures):
            raise Malformed(
                "unreferenced_disclosure", "the issuer signed no digest of a disclosure"
            )
        return tuple(self.used[digest] for digest in self.disclosures)

    def read(self, value: Any, path: Path) -> Any:
        if len(path) > PATH_MAX:
            raise Malformed("too_deep", f"claims nested deeper than {PATH_MAX}")
        if isinstance(value, dict):
            return self.read_object(value, path)
        if isinstance(value, list):
            return self.read_array(value, path)
        return value

    def read_object(self, value: dict[str, Any], path: Path) -> dict[str, Any]:
        if "..." in value:
            raise Malformed("reserved_name", "... stands alone, in an array, with a digest")
        built = {
            name: self.read(member, (*path, name))
            for name, member in value.items()
            if name != "_sd"
        }
        if "_sd" not in value:
            return built
        if not isinstance(value["_sd"], list):
            raise Malformed("wrong_digest_list", "_sd is not an array")
        for digest in value["_sd"]:
            found = self.find(digest)
            if found is None:
                continue
            name = found.name
            if name is None:
                raise Malformed("wrong_disclosure", "an array element stands for a claim")
            if name in _RESERVED or (not path and name == "_sd_alg"):
                raise Malformed("reserved_name", f"a disclosure names a claim {name}")
            if name in built:
                raise Malformed("claim_collision", "a disclosed claim is there already")
            built[name] = self.open(found, (*path, name))
        return built

    def read_array(self, value: list[Any], path: Path) -> list[Any]:
        built: list[Any] = []
        for item in value:
            here = (*path, len(built))
            if not (isinstance(item, dict) and "..." in item):
                built.append(self.read(item, here))
                continue
            if len(item) != 1:
                raise Malformed("reserved_name", "... stands alone, in an array, with a digest")
            found = self.find(item["..."])
            if found is not None and found.name is not None:
                raise Malformed("wrong_disclosure", "a claim stands for an array element")
            if found is not None:
                built.append(self.open(found, here))
        return built

    def find(self, digest: object) -> Disclosure | None:
        if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
            raise Malformed("wrong_digest_list", "a digest is not base64url of 32 bytes")
        if digest in self.seen:
            raise Malformed("duplicate_digest", "a digest stands twice")
        self.seen.add(digest)
        return self.disclosures.get(digest)

    def open(self, found: Disclosure, path: Path) -> Any:
        self.used[found.digest] = msgspec.structs.replace(found, path=path)
        return self.read(found.value, path)


# --- presenting ---


def present_sd_jwt(held: SdJwt, disclose: Iterable[Path] | None = None) -> str:
    """SD-JWT with chosen disclosures only (None: all), ready for `bind_key`; raises Malformed.

    A path means the claim and all that is disclosable above it; what is disclosable within it
    stays withheld unless it is named too. Paths are those of `held.claims`.
    """
    signed = held.presented.split("~", 1)[0]
    if disclose is None:
        return "~".join((signed, *(each.text for each in held.disclosures), ""))
    wanted: set[Path] = set()
    for path in disclose:
        find_claim(held.claims, path)
        wanted |= {path[:length] for length in range(1, len(path) + 1)}
    chosen = [each.text for each in held.disclosures if each.path in wanted]
    return "~".join((signed, *chosen, ""))


def find_claim(claims: Any, path: Path) -> Any:
    """Value at a path. Raises Malformed unknown_path."""
    place = claims
    for part in path:
        is_there = (isinstance(place, dict) and part in place) or (
            isinstance(place, list) and isinstance(part, int) and 0 <= part < len(place)
        )
        if not is_there:
            raise Malformed("unknown_path", f"no claim at {show_path(path)}")
        place = place[part]
    return place


def show_path(path: Path) -> str:
    """A path for people: `address.street`."""
    return ".".join(str(part) for part in path) or "the top"
