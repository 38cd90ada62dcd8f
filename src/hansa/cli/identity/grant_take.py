"""`hansa grant take|break-glass`: record an access, fetch its content, open it, sign for it.

Asks the node and the controller's gateway; writes the contents and `taking.json` into one folder.
Cut off at any point, the same command goes on where it stopped and counts no second use.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
import msgspec

from hansa.cli.acting import format_outcome, sign_drafts
from hansa.cli.answers import NO, YES, answer, json_option
from hansa.cli.place import Place, place_options, signer_option
from hansa.client.files import store_new
from hansa.client.transactions import Draft
from hansa.encoding.text import decode_base64url, encode_base64url

if TYPE_CHECKING:  # loaded when a command runs
    from hansa.cli.identity.takings import Taking
    from hansa.client.gateway import Gateway
    from hansa.client.keys import Signer
    from hansa.client.replies import MessageOutcome
    from hansa.ledger.model import Message

APP: Final = "consents"
TAKING: Final = "taking.json"
WAIT_S: Final = 60.0
_OK: Final = "ok"


class Errand(NamedTuple):
    """Who takes, where from, where to."""

    gateway: "Gateway"
    source: "Gateway"
    signer: "Signer"
    folder: Path


@click.command("take")
@click.argument("grant", metavar="GRANT")
@click.option("--field", "fields", multiple=True, help="[default: all of the grant]")
@click.option("--purpose", help="Reason code.  [default: the grant's]")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR")
@click.option("--sm2", is_flag=True, help="Seal with SM2 and SM4-GCM instead of HPKE.")
@click.option("--at", "source", metavar="URL", help="The controller's gateway.  [default: --node]")
@signer_option
@place_options
@json_option
def take(
    grant: str,
    fields: tuple[str, ...],
    purpose: str | None,
    output: Path,
    sm2: bool,
    source: str | None,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Read what a grant allows: the access is recorded first, then the content is handed out.

    The contents are written to DIR, one file `content-FIELD` each. Repeat the command after a
    fault: it goes on where it stopped. DIR/taking.json has the key, and goes when all is there.

    \b
    Example:
      hansa grant take 5f2c…-0 --field income -o taken --as bank
    """
    from hansa.contracts.consents.model import DataGrant, RecordAccess

    def build(gateway: "Gateway", taking: "Taking") -> "Message":
        found = msgspec.convert(_need(gateway, DataGrant.KIND, grant), type=DataGrant)
        return RecordAccess(
            grant=grant,
            purpose=purpose or found.purpose,
            fields=fields or found.fields,
            seal_alg=taking.alg,
            seal_key=taking.public,
        )

    return _run(place, signer_name, source, output, build, sm2=sm2, as_json=as_json)


@click.command("break-glass")
@click.argument("subject", metavar="DID|NAME")
@click.argument("controller", metavar="DID|NAME")
@click.option("--field", "fields", multiple=True, required=True, help="Code of the data.")
@click.option("--reason", required=True, help="Reason code: a-z 0-9 _ . -")
@click.option("--document", default="", help="SHA-256 (hex) of what shows the emergency.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR")
@click.option("--sm2", is_flag=True, help="Seal with SM2 and SM4-GCM instead of HPKE.")
@click.option("--at", "source", metavar="URL", help="The controller's gateway.  [default: --node]")
@signer_option
@place_options
@json_option
def break_glass(
    subject: str,
    controller: str,
    fields: tuple[str, ...],
    reason: str,
    document: str,
    output: Path,
    sm2: bool,
    source: str | None,
    signer_name: str | None,
    place: Place,
    as_json: bool,
) -> int:
    """Read without a grant, in an emergency. Every member hears of it, and it is reviewed.

    For who holds the role consents.emergency for the controller's jurisdiction.

    \b
    Example:
      hansa grant break-glass pat clinic --field blood-group --reason unconscious -o out --as medic
    """
    from hansa.contracts.consents.model import BreakGlass

    def build(_gateway: "Gateway", taking: "Taking") -> "Message":
        return BreakGlass(
            subject=place.did(subject),
            controller=place.did(controller),
            fields=fields,
            reason=reason,
            document=document,
            seal_alg=taking.alg,
            seal_key=taking.public,
        )

    return _run(place, signer_name, source, output, build, sm2=sm2, as_json=as_json)


def _run(
    place: Place,
    signer_name: str | None,
    source: str | None,
    folder: Path,
    build: "Callable[[Gateway, Taking], Message]",
    *,
    sm2: bool,
    as_json: bool,
) -> int:
    from hansa.cli.identity.takings import begin_taking, load_taking, store_taking
    from hansa.client.gateway import Gateway

    place.url()  # where comes before who
    signer = place.signer(signer_name)
    folder.mkdir(mode=0o700, exist_ok=True, parents=True)
    with place.gateway(signer) as gateway, Gateway(source or place.url(), signer) as other:
        errand = Errand(gateway, other, signer, folder)
        taking = load_taking(folder / TAKING) or begin_taking("SM2" if sm2 else "X25519")
        if not taking.signed:
            draft = Draft(APP, build(gateway, taking))
            data = sign_drafts(gateway, [signer], [draft], "independent")
            taking = msgspec.structs.replace(taking, signed=encode_base64url(data))
            store_taking(folder / TAKING, taking)
        if not taking.number:
            taking, refused = _record(errand, taking)
            if refused is not None:
                (folder / TAKING).unlink()
                document = {**msgspec.to_builtins(refused), "taken": False}
                answer(document, format_outcome(refused), as_json=as_json)
                return NO
            store_taking(folder / TAKING, taking)
        names = _fetch(errand, taking)
        (folder / TAKING).unlink()
    document = {"subject": taking.subject, "number": taking.number, "files": names, "taken": True}
    lines = [f"access {taking.number} of {taking.subject}", *names]
    answer(document, "\n".join(lines), as_json=as_json)
    return YES


def _record(errand: Errand, taking: "Taking") -> "tuple[Taking, MessageOutcome | None]":
    """The taking with its access, once it stands on the ledger; or the refusal."""
    from hansa.client.faults import ClientError
    from hansa.client.replies import MessageOutcome

    identity = errand.gateway.submit(decode_base64url(taking.signed))
    status = errand.gateway.wait(identity, WAIT_S)
    if not status.is_final:
        raise ClientError(f"{identity} is not decided yet", "run the same command again")
    if status.state != "committed" or status.messages[0].code != _OK:
        return taking, next(iter(status.messages), MessageOutcome(0, "", status.state))
    events = errand.gateway.list_emitted(status)
    body = next(each["body"] for each in events if each["type"] == "AccessRecorded")
    changed = {"subject": str(body["subject"]), "number": int(body["number"])}
    return msgspec.structs.replace(taking, **changed), None


def _fetch(errand: Errand, taking: "Taking") -> list[str]:
    """Fetch, open, write and sign for what the access opens; paths of the files."""
    from hansa.contracts.consents.model import Access, Delivery, ReceiveContent
    from hansa.vault.exchange import compute_package_digest, describe_access, unpack

    key = (taking.subject, f"{taking.number:09d}")
    access = msgspec.convert(_need(errand.gateway, Access.KIND, *key), type=Access)
    # a field may be called `..`
    paths = {each.field: errand.folder / f"content-{each.field}" for each in access.handed}
    if errand.gateway.record(APP, Delivery.KIND, *key) is None:
        sealed = errand.source.sealed(taking.subject, taking.number)
        hand_over = describe_access(errand.gateway.league().chain, access)
        contents = unpack(sealed, taking.key, hand_over)
        for field, path in paths.items():
            store_new(path, contents[field], mode=0o600, replace=True)
        receive = ReceiveContent(
            subject=taking.subject, number=taking.number, package=compute_package_digest(sealed)
        )
        data = sign_drafts(errand.gateway, [errand.signer], [Draft(APP, receive)], "independent")
        errand.gateway.wait(errand.gateway.submit(data), WAIT_S)
    return [str(path) for path in paths.values()]


def _need(gateway: "Gateway", kind: str, *key: str) -> dict[str, Any]:
    from hansa.client.faults import ClientError

    found = gateway.record(APP, kind, *key)
    if found is None:
        raise ClientError(
            f"there is no {kind} {'/'.join(key)} that you may see",
            "check the id, and who asks (--as)",
        )
    return found
