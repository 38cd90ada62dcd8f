"""`hansa credential present` and `bundle`: what a holder hands over. Signs here; asks the node for
facts by their keys only.
"""

from pathlib import Path
from typing import Any

import click

from hansa.cli.acting import json_parameter, place_parameters
from hansa.cli.answers import YES, answer, hint
from hansa.cli.asking import open_gateway, reader_option
from hansa.cli.identity.credential_issue import (
    output_option,
    read_now_ms,
    signing_options,
    store,
)
from hansa.cli.place import find_place
from hansa.client.bundling import collect_bundle
from hansa.client.credentials import WrongCredential, present
from hansa.client.files import read_file
from hansa.client.keys import Signer
from hansa.client.pairwise import derive_pairwise, load_seed
from hansa.client.receipts import encode_file
from hansa.identity.did_key import method_of_key
from hansa.identity.faults import Malformed
from hansa.identity.json_document import DOCUMENT_BYTES_MAX
from hansa.identity.report import Policy

SEED = "pairwise.seed"


def _present(
    files: tuple[Path, ...],
    audience: str,
    nonce: str,
    claims: tuple[str, ...],
    relation: str | None,
    seed: Path | None,
    output: Path,
    **values: Any,
) -> int:
    place = find_place(values["league"], values["node"])
    if relation is None:
        holder = place.signer(values["signer_name"])
    else:
        holder = find_pairwise(seed or place.rings()[-1].folder / SEED, relation)
    documents = [read_file(path, DOCUMENT_BYTES_MAX) for path in files]
    try:
        data = present(
            documents,
            holder,
            audience=audience,
            nonce=nonce,
            now_ms=read_now_ms(),
            claims=claims or None,
        )
    except Malformed as why:
        raise WrongCredential(f"{why.code}: {why.text}", "see what the credential holds") from why
    store(output, data, replace=values["force"])
    document = {"file": str(output), "holder": holder.account, "bytes": len(data)}
    told = f"{output}: presented by {holder.account} to {audience}"
    answer(document, told, as_json=values["as_json"])
    hint(f"for who cannot ask the ledger: hansa credential bundle {output} -o bundle.json")
    return YES


def find_pairwise(seed: Path, relation: str) -> Signer:
    """The holder's key for one relation only (`hansa did pairwise`). Raises ClientError."""
    if not seed.exists():
        raise WrongCredential(f"there is no seed {seed}", f"hansa did pairwise {relation}")
    key = derive_pairwise(load_seed(seed), relation)
    return Signer(relation, method_of_key(key.public), key)


def _bundle(
    file: Path, output: Path, jurisdiction: str, trusted: int, force: bool, **values: Any
) -> int:
    place = find_place(values["league"], values["node"])
    document = read_file(file, DOCUMENT_BYTES_MAX)
    policy = Policy(jurisdiction=jurisdiction)
    with open_gateway(place, values["signer_name"]) as gateway:
        bundle = collect_bundle(gateway, document, policy, read_now_ms(), trusted=trusted)
    if bundle is None:
        raise WrongCredential(
            f"{file} asks for no fact of this ledger", "verify it: hansa credential verify"
        )
    data = encode_file(bundle)
    store(output, data, replace=force)
    absent = [fact.key for fact in bundle.facts if bytes(fact.record) == b"null"]
    described = {
        "file": str(output),
        "height": bundle.height,
        "facts": [fact.key for fact in bundle.facts],
        "absent": absent,
        "bytes": len(data),
    }
    told = f"{output}: {len(bundle.facts)} facts as at height {bundle.height}, {len(data)} bytes"
    answer(described, told, as_json=values["as_json"])
    hint(f"anyone with the league's genesis judges it offline: hansa verify {output}")
    return YES


def _path(*names: str, many: bool = False) -> click.Argument:
    kind = click.Path(path_type=Path, exists=True, dir_okay=False)
    if many:
        return click.Argument(list(names), nargs=-1, required=True, metavar="FILE…", type=kind)
    return click.Argument(list(names), metavar="FILE", type=kind)


present_command = click.Command(
    "present",
    params=[
        _path("files", many=True),
        click.Option(["--audience"], required=True, help="To whom, as the verifier calls itself."),
        click.Option(["--nonce"], required=True, help="What the verifier asked with, used once."),
        click.Option(
            ["--claim", "claims"],
            multiple=True,
            metavar="NAME",
            help="Disclose only these claims (of SD-JWT VCs).  [default: all]",
        ),
        click.Option(
            ["--pairwise", "relation"],
            metavar="RELATION",
            help="Present as the DID that is yours for this relation only, instead of --as.",
        ),
        click.Option(
            ["--seed"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Seed of pairwise DIDs.  [default: pairwise.seed beside your keys]",
        ),
        output_option(),
        *signing_options(),
    ],
    callback=_present,
    help="Present credentials to a verifier: signed by their holder, for that verifier alone.\n\n"
    "An SD-JWT VC discloses only what --claim names. Several files make one presentation.\n\n"
    "\b\nExample:\n"
    "  hansa credential present ada.sd-jwt --claim degree --audience bank --nonce 7c1f \\\n"
    "    --as ada -o shown.sd-jwt",
    short_help="Present credentials to a verifier.",
)
bundle_command = click.Command(
    "bundle",
    params=[
        _path("file"),
        output_option(),
        click.Option(
            ["--jurisdiction"],
            default="",
            metavar="CC",
            help="Where it is to count: what is recognised there goes with it.",
        ),
        click.Option(
            ["--trusted"],
            type=click.IntRange(min=0),
            default=0,
            metavar="HEIGHT",
            help="Have its headers lead from a checkpoint of this height.  [default: genesis]",
        ),
        click.Option(["--force"], is_flag=True, help="Replace the file if it is there."),
        reader_option(),
        *place_parameters(),
        json_parameter(),
    ],
    callback=_bundle,
    help="Put a credential or presentation and all that judges it into one file.\n\n"
    "Issuer's keys, schema, accreditation chain, and that the ledger has no revocation of it,\n"
    "each proved as at one height. The document itself is not sent to the node.\n\n"
    "\b\nExample:\n"
    "  hansa credential bundle ada.vc.json -o bundle.json\n  hansa verify bundle.json",
    short_help="One file that is judged offline.",
)
