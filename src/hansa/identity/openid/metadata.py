"""What an issuer tells wallets beforehand: metadata and offers (OpenID4VCI 1.0, sections 4 and 12;
RFC 8414; SD-JWT VC, section 5). Pure: addresses and records are given.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from hansa.crypto.signatures import PublicKey
from hansa.identity.data_integrity import find_suite
from hansa.identity.dcql import LDP_FORMAT, SD_JWT_FORMAT
from hansa.identity.openid.key_proofs import PROOF_ALGS, PROOFS_MAX
from hansa.identity.openid.token_requests import AUTHORISATION, PRE_AUTHORISED
from hansa.identity.statement import SCHEMA_URN
from hansa.identity.vc import CONTEXT

FORMATS: Final = (SD_JWT_FORMAT, LDP_FORMAT)
# Copies of one credential that one request may ask for.
BATCH_MAX: Final = PROOFS_MAX
TX_CODE_DIGITS: Final = 6
_CLAIMS_MAX: Final = 100


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of credential in one form: a published schema and a format. schema: its hex id."""

    id: str
    format: str
    schema: str
    name: str
    vct: str
    type: str
    document: Mapping[str, Any]


def build_configuration(
    *, name: str, version: str, schema: str, vct: str, format_: str, document: Mapping[str, Any]
) -> Configuration:
    """The configuration of a schema in a format: `degree-1.0.0.dc+sd-jwt`."""
    words = name.replace("-", "_").replace(".", "_").split("_")
    return Configuration(
        id=f"{name}-{version}.{format_}",
        format=format_,
        schema=schema,
        name=name,
        vct=vct or SCHEMA_URN + schema,
        type="".join(word[:1].upper() + word[1:] for word in words),
        document=document,
    )


def build_issuer_metadata(
    base: str, configurations: Iterable[Configuration], key: PublicKey
) -> dict[str, Any]:
    """Credential issuer metadata of the issuer at `base`, which signs with `key`."""
    return {
        "credential_issuer": base,
        "credential_endpoint": f"{base}/openid/credential",
        "nonce_endpoint": f"{base}/openid/nonce",
        "deferred_credential_endpoint": f"{base}/openid/deferred",
        "notification_endpoint": f"{base}/openid/notification",
        "batch_credential_issuance": {"batch_size": BATCH_MAX},
        "credential_configurations_supported": {
            each.id: _describe(each, key) for each in configurations
        },
    }


def _describe(configuration: Configuration, key: PublicKey) -> dict[str, Any]:
    is_sd_jwt = configuration.format == SD_JWT_FORMAT
    described: dict[str, Any] = {
        "format": configuration.format,
        "scope": configuration.id,
        "cryptographic_binding_methods_supported": ["jwk", "did:key", "did:hansa"],
        "credential_signing_alg_values_supported": [key.alg if is_sd_jwt else find_suite(key)],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": [*PROOF_ALGS]}},
        "credential_metadata": _describe_claims(configuration),
    }
    if is_sd_jwt:
        return {**described, "vct": configuration.vct}
    types = ["VerifiableCredential", configuration.type]
    return {**described, "credential_definition": {"@context": [CONTEXT], "type": types}}


def _describe_claims(configuration: Configuration) -> dict[str, Any]:
    """Claims at the top of the schema, as wallets show them."""
    properties = configuration.document.get("properties", {})
    required = configuration.document.get("required", ())
    above = [] if configuration.format == SD_JWT_FORMAT else ["credentialSubject"]
    title = configuration.document.get("title")
    shown = title if isinstance(title, str) and title else configuration.name
    described: dict[str, Any] = {"display": [{"name": shown}]}
    claims = [
        {"path": [*above, name], "mandatory": name in required}
        for name in list(properties)[:_CLAIMS_MAX]
    ]
    return {**described, "claims": claims} if claims else described


def build_server_metadata(base: str) -> dict[str, Any]:
    """Metadata of the authorisation server, which is the issuer itself (RFC 8414)."""
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/openid/authorize",
        "pushed_authorization_request_endpoint": f"{base}/openid/par",
        "require_pushed_authorization_requests": True,
        "token_endpoint": f"{base}/openid/token",
        "response_types_supported": ["code"],
        "grant_types_supported": [AUTHORISATION, PRE_AUTHORISED],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_details_types_supported": ["openid_credential"],
        "authorization_response_iss_parameter_supported": True,
        "pre-authorized_grant_anonymous_access_supported": True,
    }


def build_key_metadata(base: str, kid: str, key: PublicKey) -> dict[str, Any]:
    """SD-JWT VC issuer metadata: the key by which the gateway issues, under its DID URL."""
    return {"issuer": base, "jwks": {"keys": [{**key.jwk(), "kid": kid, "alg": key.alg}]}}


def build_offer(
    base: str, configuration: str, *, code: str, is_pre_authorised: bool, has_tx_code: bool
) -> dict[str, Any]:
    """A credential offer; code: the pre-authorised code, or the issuer_state."""
    grant: dict[str, Any]
    if is_pre_authorised:
        grant = {"pre-authorized_code": code}
        if has_tx_code:
            grant["tx_code"] = {"input_mode": "numeric", "length": TX_CODE_DIGITS}
    else:
        grant = {"issuer_state": code}
    return {
        "credential_issuer": base,
        "credential_configuration_ids": [configuration],
        "grants": {PRE_AUTHORISED if is_pre_authorised else AUTHORISATION: grant},
    }
