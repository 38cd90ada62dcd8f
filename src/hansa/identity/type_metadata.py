"""Type metadata of SD-JWT VCs (draft-ietf-oauth-sd-jwt-vc-18, sections 4 and 5). Pure.

What a type is called and shown as, in several languages; which of its claims must be there and
which can be withheld. Others fetch it; its integrity (`vct#integrity`, W3C SRI) is judged here.
Codes of Malformed: wrong_type_metadata, wrong_integrity, wrong_extension.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from hansa.crypto.hashing import sha256
from hansa.identity.dcql import select_claims
from hansa.identity.faults import Malformed
from hansa.identity.json_document import parse_document
from hansa.identity.sd_jwt_vc import SdJwtVc

CLAIMS_MAX: Final = 256
LOCALES_MAX: Final = 32
TYPE_BYTES_MAX: Final = 128_000
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_SRI: Final = re.compile(r"sha256-[A-Za-z0-9+/]{43}=", re.ASCII)
_Disclosure = Literal["always", "allowed", "never"]


class Display(msgspec.Struct, frozen=True):
    """Words in one language (BCP 47): of a type (name) or of a claim (label)."""

    locale: str
    name: str
    description: str = ""


class ClaimType(msgspec.Struct, frozen=True):
    """One claim; None in a path means all elements. disclosure: whether it can be withheld."""

    path: tuple[str | int | None, ...]
    display: tuple[Display, ...] = ()
    disclosure: _Disclosure = "allowed"
    is_mandatory: bool = False


class TypeMetadata(msgspec.Struct, frozen=True):
    """A type of credentials; `extends`: vct of the type that it refines, "" for none."""

    vct: str
    name: str = ""
    description: str = ""
    extends: str = ""
    extends_integrity: str = ""
    display: tuple[Display, ...] = ()
    claims: tuple[ClaimType, ...] = ()


def compute_integrity(data: bytes) -> str:
    """`sha256-…` (W3C Subresource Integrity) of a document's bytes."""
    return "sha256-" + base64.b64encode(sha256(data)).decode("ascii")


def build_type_metadata(type_: TypeMetadata) -> dict[str, Any]:
    """The document of a type."""
    document: dict[str, Any] = {
        "vct": type_.vct,
        "name": type_.name,
        "description": type_.description,
        "extends": type_.extends,
        "extends#integrity": type_.extends_integrity,
        "display": [_build_display(each, "name") for each in type_.display],
        "claims": [
            {
                "path": list(claim.path),
                "display": [_build_display(each, "label") for each in claim.display],
                "sd": claim.disclosure,
                "mandatory": claim.is_mandatory,
            }
            for claim in type_.claims
        ],
    }
    return {name: value for name, value in document.items() if value}


def _build_display(display: Display, name: str) -> dict[str, str]:
    built = {"locale": display.locale, name: display.name, "description": display.description}
    return {key: value for key, value in built.items() if value}


def read_type_metadata(data: bytes, *, vct: str, integrity: str = "") -> TypeMetadata:
    """Read the document that was found for `vct`; `integrity`: what the credential says of it.

    Raises Malformed.
    """
    if integrity and (_SRI.fullmatch(integrity) is None or integrity != compute_integrity(data)):
        raise Malformed("wrong_integrity", "the type metadata is not what the credential names")
    document = parse_document(data, size_max=TYPE_BYTES_MAX)
    if document.get("vct") != vct:
        raise Malformed("wrong_type_metadata", "the metadata of another type")
    claims = tuple(_read_claim(each) for each in _read_list(document, "claims", CLAIMS_MAX))
    if len({claim.path for claim in claims}) != len(claims):
        raise Malformed("wrong_type_metadata", "a claim stands twice")
    return TypeMetadata(
        vct=vct,
        name=_read_text(document, "name"),
        description=_read_text(document, "description"),
        extends=_read_text(document, "extends"),
        extends_integrity=_read_text(document, "extends#integrity"),
        display=_read_displays(document, "name"),
        claims=claims,
    )


def extend_type(child: TypeMetadata, parent: TypeMetadata) -> TypeMetadata:
    """The child with what it inherits. Raises Malformed wrong_extension.

    A claim of both is the child's, and no looser: what must be there stays so, and only "allowed"
    may be decided otherwise. Words of the parent stand where the child has none.
    """
    if child.extends != parent.vct:
        raise Malformed("wrong_extension", f"the type does not extend {parent.vct}")
    own = {claim.path: claim for claim in child.claims}
    claims: list[ClaimType] = []
    for claim in parent.claims:
        refined = own.pop(claim.path, claim)
        is_kept = claim.disclosure in ("allowed", refined.disclosure)
        if not is_kept or (claim.is_mandatory and not refined.is_mandatory):
            raise Malformed("wrong_extension", "a claim is looser than in the type it extends")
        display = refined.display or claim.display
        claims.append(msgspec.structs.replace(refined, display=display))
    return msgspec.structs.replace(
        child,
        extends=parent.extends,
        extends_integrity=parent.extends_integrity,
        display=child.display or parent.display,
        claims=(*claims, *own.values()),
    )


def list_type_faults(type_: TypeMetadata, vc: SdJwtVc) -> list[tuple[str, str]]:
    """Where a credential is not of its type: [(path, code)], [] when it is.

    Codes: wrong_type (another vct), missing_claim (a mandatory one; a withheld one is missing too),
    must_be_disclosable (`sd` always, but it stands in clear), must_not_be_disclosable (`sd` never).
    """
    if type_.vct not in (vc.vct, *vc.aka_vcts):
        return [("", "wrong_type")]
    disclosed = {each.path for each in vc.sd_jwt.disclosures}
    faults: list[tuple[str, str]] = []
    for claim in type_.claims:
        shown = "/".join("*" if part is None else str(part) for part in claim.path)
        found = [path for path, _ in select_claims(vc.claims, claim.path)]
        if claim.is_mandatory and not found:
            faults.append((shown, "missing_claim"))
        if claim.disclosure == "always" and any(path not in disclosed for path in found):
            faults.append((shown, "must_be_disclosable"))
        if claim.disclosure == "never" and any(path in disclosed for path in found):
            faults.append((shown, "must_not_be_disclosable"))
    return faults


def choose_display(displays: Sequence[Display], locales: Sequence[str]) -> Display | None:
    """Words in the first of the reader's languages that there is, else the first of all."""
    for locale in locales:
        for display in displays:
            if display.locale.lower() == locale.lower():
                return display
    return next(iter(displays), None)


def _read_claim(document: object) -> ClaimType:
    members = document if isinstance(document, dict) else {}
    path, disclosure = members.get("path"), members.get("sd", "allowed")
    if not isinstance(path, list) or not path or not all(_is_part(part) for part in path):
        raise Malformed("wrong_type_metadata", "a claim has no path")
    mandatory = members.get("mandatory", False)
    if disclosure not in ("always", "allowed", "never") or not isinstance(mandatory, bool):
        raise Malformed("wrong_type_metadata", "sd or mandatory of a claim is not known")
    return ClaimType(tuple(path), _read_displays(members, "label"), disclosure, mandatory)


def _is_part(part: object) -> bool:
    is_place = isinstance(part, int) and not isinstance(part, bool) and part >= 0
    return part is None or isinstance(part, str) or is_place


def _read_displays(members: Mapping[str, Any], name: str) -> tuple[Display, ...]:
    displays: list[Display] = []
    for each in _read_list(members, "display", LOCALES_MAX):
        if not isinstance(each, dict):
            raise Malformed("wrong_type_metadata", "a display is not an object")
        locale = _read_text(each, "locale")
        if _LOCALE.fullmatch(locale) is None or not _read_text(each, name):
            raise Malformed("wrong_type_metadata", f"a display has a locale and a {name}")
        displays.append(Display(locale, _read_text(each, name), _read_text(each, "description")))
    if len({display.locale.lower() for display in displays}) != len(displays):
        raise Malformed("wrong_type_metadata", "a language stands twice")
    return tuple(displays)


def _read_text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name, "")
    if not isinstance(value, str):
        raise Malformed("wrong_type_metadata", f"{name} is not a string")
    return value


def _read_list(members: Mapping[str, Any], name: str, most: int) -> list[Any]:
    value = members.get(name, [])
    if not isinstance(value, list) or len(value) > most:
        raise Malformed("wrong_type_metadata", f"{name} is not an array of at most {most}")
    return value
