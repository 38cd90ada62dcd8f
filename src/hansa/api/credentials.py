"""Routes of credentials: facts proved together in one state, and status lists."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.params import Parameter

from hansa.api.gate import TheGate, TheViewer, check_not_stranger
from hansa.api.headers import TrustedHeight
from hansa.api.problems import refuse_parameter, refuse_unseen
from hansa.api.proofs import prove_together, seal_header
from hansa.api.records import build_key, check_provable
from hansa.api.status_lists import TTL_MS, Asked
from hansa.api.threads import threaded
from hansa.client.bundles import FACTS_MAX, build_bundle
from hansa.client.receipts import encode_file
from hansa.identity.token_status import STATUS_LIST_TYPE
from hansa.primitives.limits import KEY_BYTES_MAX

# Whose keys prove a credential or a presentation: public to whoever knows the DID (ADR 16).
ACCOUNTS: Final = "accounts/account/"
TOKEN_MEDIA: Final = f"application/{STATUS_LIST_TYPE}"
VC_MEDIA: Final = "application/vc"

IssuerName = Annotated[str, Parameter(description="DID of the issuer.")]
ListName = Annotated[str, Parameter(description="Name of the status list.")]


@get(
    "/v1/facts",
    tags=["credentials"],
    summary="Records, or that there are none, proved together in one state",
    description=(
        "The file `hansa.bundle/1` without a document. Each key is `application/kind/identifier`; "
        "rights are those of /v1/proofs, key by key; accounts are public, as with /v1/dids."
    ),
    media_type="application/json",
    opt={"produces": "proof"},
)
@threaded
def get_facts(
    keys: Annotated[
        str,
        Parameter(
            min_length=1,
            max_length=FACTS_MAX * KEY_BYTES_MAX,
            description="State keys, parted by commas, each once.",
        ),
    ],
    gate: TheGate,
    viewer: TheViewer,
    trusted: TrustedHeight = 0,
) -> Response[bytes]:
    """The facts as a file."""
    names = keys.split(",")
    if len(names) > FACTS_MAX or len(set(names)) != len(names):
        raise refuse_parameter("keys", f"at most {FACTS_MAX}, each once")
    kinds = []
    for name in names:
        app, _sep, rest = name.partition("/")
        kind_name, _sep, path = rest.partition("/")
        kind = gate.kind(app, kind_name)
        if build_key(kind, path) != name:
            raise refuse_unseen()
        if not name.startswith(ACCOUNTS):
            check_not_stranger(viewer, kind.sight(viewer))
        kinds.append(kind)
    encoded = [name.encode("ascii") for name in names]
    proven, height = prove_together(gate.ledger, encoded)
    for name, kind, (value, _proof) in zip(names, kinds, proven, strict=True):
        if not name.startswith(ACCOUNTS):
            check_provable(gate, kind, name, value, viewer)
    facts = [(key, value, proof) for key, (value, proof) in zip(encoded, proven, strict=True)]
    bundle = build_bundle(seal_header(gate.paths, height + 1, trusted), facts)
    return Response(encode_file(bundle), media_type="application/json")


@get(
    "/v1/credentials/{issuer:str}/status/{name:str}",
    tags=["credentials"],
    summary="A status list of an issuer, as the ledger has it",
    description=(
        f"W3C Bitstring Status List credential (of one purpose), or with Accept: {TOKEN_MEDIA} the "
        "IETF Token Status List, which says both. Public. Kept for a minute."
    ),
    media_type=VC_MEDIA,
    opt={"produces": "status_list"},
)
@threaded
def get_status_list(
    issuer: IssuerName,
    name: ListName,
    request: Request[Any, Any, Any],
    gate: TheGate,
    purpose: Annotated[str, Parameter(description="Of a bitstring: which.")] = "revocation",
) -> Response[bytes]:
    """The list in the form that was asked for."""
    is_token = TOKEN_MEDIA in request.headers.get("accept", "")
    base = str(request.base_url).rstrip("/")
    uri = f"{base}/v1/credentials/{issuer}/status/{name}"
    asked = Asked(issuer, name, "" if is_token else purpose, uri)
    data = gate.status_lists.get(asked)
    return Response(
        data,
        media_type=TOKEN_MEDIA if is_token else VC_MEDIA,
        headers={"cache-control": f"public, max-age={TTL_MS // 1000}", "vary": "accept"},
    )
