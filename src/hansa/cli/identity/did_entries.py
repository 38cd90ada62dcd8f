"""`hansa did service` and `hansa did agreement`: what a DID document says beside its signing keys.

Private agreement keys are kept beside the signer's key; asks the node.
"""

from pathlib import Path
from typing import Any, Final

import click

from hansa.cli.acting import act, collect_act
from hansa.cli.answers import hint
from hansa.cli.identity.acts import build_act_command
from hansa.client.faults import ClientError
from hansa.client.files import read_file, store_new
from hansa.client.transactions import Draft
from hansa.encoding.canonical import encode_canonical
from hansa.encoding.text import encode_base64url

APP: Final = "accounts"
FILE_BYTES_MAX: Final = 4_096
_OF: Final = click.Option(
    ["--account"], metavar="DID|NAME", help="Of another account of your member.  [default: yours]"
)


@click.group()
def service() -> None:
    """Say where the subject of a DID can be reached.

    \b
    Examples:
      hansa did service set files LinkedDomains https://registry.example/ --as employer
      hansa did service remove files --as employer
    """


@click.group()
def agreement() -> None:
    """Publish keys to which others seal content for you (X25519).

    \b
    Examples:
      hansa did agreement new inbox --as alice
      hansa did agreement remove inbox --as alice
    """


def _set_service(id_: str, type_: str, endpoint: str, **values: Any) -> int:
    from hansa.contracts.accounts.did_model import SetService

    return _send(SetService, {"id": id_, "type": type_, "endpoint": endpoint}, values)


def _remove_service(id_: str, **values: Any) -> int:
    from hansa.contracts.accounts.did_model import RemoveService

    return _send(RemoveService, {"id": id_}, values)


def _new_agreement(id_: str, **values: Any) -> int:
    from hansa.contracts.accounts.did_model import SetAgreementKey

    how = collect_act(values)
    how.place.url()  # where comes before who
    signer = how.place.signer(how.signer_name)
    folder = next(
        (ring.folder for ring in how.place.rings() if ring.path(signer.name).exists()),
        how.place.rings()[0].folder,
    )
    path = folder / f"{signer.name}.agree.{id_}.jwk"
    public = _find_or_make(path, f"{signer.account}#agree.{id_}")
    hint(f"its private key: {path}")
    return _send(SetAgreementKey, {"id": id_, "alg": "X25519", "public": public}, values)


def _remove_agreement(id_: str, **values: Any) -> int:
    from hansa.contracts.accounts.did_model import RemoveAgreementKey

    return _send(RemoveAgreementKey, {"id": id_}, values)


def _send(message: Any, body: dict[str, Any], values: dict[str, Any]) -> int:
    from hansa.cli.fields import build_message

    account = values.pop("account")
    how = collect_act(values)
    how.place.url()
    did = how.place.did(account) if account else how.place.signer(how.signer_name).account
    return act(how, [Draft(APP, build_message(message, {"account": did, **body}))])


def _find_or_make(path: Path, kid: str) -> str:
    """Public text of the X25519 key of a file, which is made (0600) when there is none."""
    import msgspec
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from hansa.encoding.json_faults import NOT_JSON

    if not path.exists():
        private = X25519PrivateKey.generate()
        jwk = {
            "crv": "X25519",
            "d": encode_base64url(private.private_bytes_raw()),
            "kid": kid,
            "kty": "OKP",
            "x": encode_base64url(private.public_key().public_bytes_raw()),
        }
        store_new(path, encode_canonical(jwk) + b"\n")
    try:
        found = msgspec.json.decode(read_file(path, FILE_BYTES_MAX), type=dict[str, str])
        return found["x"]
    except (*NOT_JSON, KeyError) as error:
        raise ClientError(f"{path} is not a JWK", "move it away, and try again") from error


_ID: Final = "id_"
service.add_command(
    build_act_command(
        "set",
        [
            click.Argument([_ID], metavar="ID"),
            click.Argument(["type_"], metavar="TYPE"),
            click.Argument(["endpoint"], metavar="URL"),
            _OF,
        ],
        _set_service,
        """Set the service ID to a TYPE and an https address, or say it anew.

        \b
        Example:
          hansa did service set files LinkedDomains https://registry.example/
        """,
    )
)
service.add_command(
    build_act_command(
        "remove",
        [click.Argument([_ID], metavar="ID"), _OF],
        _remove_service,
        """Take a service out of the document.

        \b
        Example:
          hansa did service remove files
        """,
    )
)
agreement.add_command(
    build_act_command(
        "new",
        [click.Argument([_ID], metavar="ID"), _OF],
        _new_agreement,
        """Make a key pair and publish its public half; the private one stays here, for you alone.

        Safe to run again: the same file, the same key.

        \b
        Example:
          hansa did agreement new inbox --as alice
        """,
    )
)
agreement.add_command(
    build_act_command(
        "remove",
        [click.Argument([_ID], metavar="ID"), _OF],
        _remove_agreement,
        """Take a key out of the document; its private half stays, for what was sealed before.

        \b
        Example:
          hansa did agreement remove inbox
        """,
    )
)
