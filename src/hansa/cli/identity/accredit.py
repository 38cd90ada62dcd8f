"""`hansa accredit`: roots, bodies and issuers; suspend, revoke, recognise; the tree, and the check.

Sends messages of the contract `accreditations`, by proposal where governance decides.
"""

from typing import Any, Final

import click
import msgspec

from hansa.cli.answers import YES, answer
from hansa.cli.asking import open_gateway
from hansa.cli.derived import build_group
from hansa.cli.fields import parse_json
from hansa.cli.identity.accreditations import check, list_all, tree
from hansa.cli.identity.acts import (
    basis_options,
    build_act_command,
    collect_basis,
    perform,
    propose_option,
)
from hansa.cli.place import find_place
from hansa.client.gateway import Gateway
from hansa.contracts.accreditations.model import (
    Accredit,
    Attest,
    AuthoriseRoot,
    RecogniseFramework,
    ReinstateAccreditation,
    ReinstateRecognition,
    RevokeAccreditation,
    RevokeRecognition,
    SuspendAccreditation,
    SuspendRecognition,
)
from hansa.identity.accreditation_tree import KnownLink, read_link
from hansa.identity.links import SchemaPair, Scope

APPLICATION: Final = "accreditations"


def _scope_options(*, any_schema: bool) -> list[click.Parameter]:
    default = "every schema" if any_schema else "none"
    return [
        click.Option(
            ["--schema", "schemas"],
            multiple=True,
            metavar="ID|NAME:MAJOR",
            help=f"A schema that it covers.  [default: {default}]",
        ),
        click.Option(
            ["--jurisdiction", "jurisdictions"],
            multiple=True,
            metavar="CC",
            help="A jurisdiction in which it covers them (ISO 3166-1, two letters).",
        ),
        click.Option(
            ["--scope"],
            metavar="JSON|@FILE",
            help='Several scopes: [{"schemas": […], "jurisdictions": […]}, …].',
        ),
    ]


def _collect_scope(values: dict[str, Any], *, any_schema: bool) -> tuple[Scope, ...]:
    """The scope that the options give. Raises click.UsageError."""
    schemas, places = values["schemas"], values["jurisdictions"]
    if values["scope"] is not None:
        if schemas or places:
            raise click.UsageError("give either --scope or --schema and --jurisdiction")
        given = parse_json(values["scope"], "--scope")
        try:
            return msgspec.convert(given, tuple[Scope, ...])
        except msgspec.ValidationError as error:
            raise click.UsageError(f"--scope: {error}") from error
    if any_schema and not schemas:
        schemas = ("*",)
    if not schemas or not places:
        raise click.UsageError("say what it covers: --schema and --jurisdiction, or --scope")
    return (Scope(schemas=tuple(schemas), jurisdictions=tuple(places)),)


def _convert(kind: type[Any], **fields: Any) -> Any:
    """A message whose fields are judged as the ledger would. Raises click.UsageError."""
    try:
        return msgspec.convert(msgspec.to_builtins(kind(**fields)), kind)
    except msgspec.ValidationError as error:
        raise click.UsageError(str(error)) from error


def _subject_argument() -> click.Argument:
    return click.Argument(["subject"], metavar="NAME|DID")


def _authorise(subject: str, framework: str, **values: Any) -> int:
    place = find_place(values["league"], values["node"])
    message = _convert(
        AuthoriseRoot,
        framework=framework,
        subject=place.did(subject),
        scope=_collect_scope(values, any_schema=True),
        **collect_basis(values),
    )
    return perform(values, APPLICATION, message, is_proposed=True)


def _give(kind: type[Accredit | Attest], subject: str, under: str, values: dict[str, Any]) -> int:
    place = find_place(values["league"], values["node"])
    message = _convert(
        kind,
        parent=under,
        subject=place.did(subject),
        scope=_collect_scope(values, any_schema=False),
        **collect_basis(values),
    )
    with open_gateway(place, values["signer_name"]) as gateway:
        known = _find_same(gateway, message)
    if known is not None:
        document = {"state": "already", "accreditation": known.id}
        answer(document, f"{known.id}  given already", as_json=values["as_json"])
        return YES
    return perform(values, APPLICATION, message)


def _find_same(gateway: Gateway, message: Accredit | Attest) -> KnownLink | None:
    """A link that says the same and is neither revoked nor suspended: to repeat gives no second."""
    level = "accredit" if isinstance(message, Accredit) else "attest"
    filters = {"subject": message.subject, "parent": message.parent, "level": level}
    for each in list_all(gateway, "accreditation", filters):
        link = read_link(each)
        is_same = (link.scope, link.until_ms, link.basis, link.document) == (
            message.scope,
            message.until_ms,
            message.basis,
            message.document,
        )
        begins = message.since_ms in (None, link.since_ms)
        if is_same and begins and link.standing[-1].standing == "active":
            return link
    return None


def _accredit(subject: str, under: str, **values: Any) -> int:
    return _give(Accredit, subject, under, values)


def _attest(subject: str, under: str, **values: Any) -> int:
    return _give(Attest, subject, under, values)


_CHANGES: Final[dict[str, tuple[type[Any], type[Any]]]] = {
    "suspend": (SuspendAccreditation, SuspendRecognition),
    "reinstate": (ReinstateAccreditation, ReinstateRecognition),
    "revoke": (RevokeAccreditation, RevokeRecognition),
}


def _build_change(name: str, help_: str) -> click.Command:
    def run(
        link: str, reason: str, recognition_in: str | None, is_proposed: bool, **values: Any
    ) -> int:
        of_link, of_recognition = _CHANGES[name]
        if recognition_in is None:
            message = _convert(of_link, accreditation=link, reason=reason)
            return perform(values, APPLICATION, message, is_proposed=is_proposed)
        message = _convert(of_recognition, relying=recognition_in, recognition=link, reason=reason)
        return perform(values, APPLICATION, message, is_proposed=True)

    return build_act_command(
        name,
        [
            click.Argument(["link"], metavar="ID"),
            click.Option(["--reason"], required=True, metavar="CODE", help="Why, as a code."),
            click.Option(
                ["--recognition-in"],
                metavar="CC",
                help="ID is a recognition of this jurisdiction (always by proposal).",
            ),
            propose_option(),
        ],
        run,
        help_,
    )


def _read_pair(text: str) -> SchemaPair:
    source, mark, target = text.partition("=")
    return SchemaPair(source=source, target=target if mark else source)


def _recognise(framework: str, counts_as: str | None, pairs: tuple[str, ...], **values: Any) -> int:
    message = _convert(
        RecogniseFramework,
        source=values["source"],
        relying=values["relying"],
        framework=framework,
        counts_as=counts_as or framework,
        schemas=tuple(_read_pair(each) for each in pairs),
        level=values["level"],
        **collect_basis(values),
    )
    return perform(values, APPLICATION, message, is_proposed=True)


_UNDER: Final = click.Option(
    ["--under"], required=True, metavar="ID", help="The link of yours by which you give it."
)
_FRAMEWORK: Final = click.Option(
    ["--framework"], required=True, metavar="NAME", help="The trust framework."
)

authorise = build_act_command(
    "authorise",
    [_subject_argument(), _FRAMEWORK, *_scope_options(any_schema=True), *basis_options()],
    _authorise,
    "Propose that an organisation becomes a root authority: governance decides.\n\n"
    "\b\nExample:\n  hansa accredit authorise registry --framework business --jurisdiction CN \\\n"
    "    --basis company-law-7 --as tax-bureau",
)
accredit = build_act_command(
    "accredit",
    [_subject_argument(), _UNDER, *_scope_options(any_schema=False), *basis_options()],
    _accredit,
    "Accredit a body that accredits others in turn, within a link of your own.\n\n"
    "\b\nExample:\n  hansa accredit accredit chamber --under ID --schema licence:1 \\\n"
    "    --jurisdiction CN --until 2030-01-01 --basis company-law-7 --as registry",
)
attest = build_act_command(
    "attest",
    [_subject_argument(), _UNDER, *_scope_options(any_schema=False), *basis_options()],
    _attest,
    "Accredit an issuer of credentials, within a link of your own.\n\n"
    "Sent again, it finds the link that it gave.\n\n"
    "\b\nExample:\n  hansa accredit attest bureau --under ID --schema licence:1 \\\n"
    "    --jurisdiction CN --basis company-law-7 --as chamber",
)
recognise = build_act_command(
    "recognise",
    [
        _FRAMEWORK,
        click.Option(["--counts-as"], metavar="NAME", help="Framework that it counts as there."),
        click.Option(["--from", "source"], required=True, metavar="CC", help="Where attested."),
        click.Option(["--in", "relying"], required=True, metavar="CC", help="Where it counts."),
        click.Option(
            ["--schema", "pairs"],
            multiple=True,
            required=True,
            metavar="SCHEMA[=SCHEMA]",
            help="A schema, and what it counts as (the same, when left out).",
        ),
        click.Option(
            ["--level"],
            type=click.Choice(["low", "substantial", "high"]),
            default="substantial",
            show_default=True,
            help="Assurance with which it counts.",
        ),
        *basis_options(),
    ],
    _recognise,
    "Propose that what is attested in one jurisdiction counts in another.\n\n"
    "\b\nExample:\n  hansa accredit recognise --framework business --from HK --in MO \\\n"
    "    --schema licence:1=permit:1 --basis treaty-4 --as tax-bureau",
)
suspend = _build_change(
    "suspend",
    "Suspend a link, and all below it, until it is reinstated.\n\n"
    "\b\nExample:\n  hansa accredit suspend ID --reason audit --as chamber",
)
reinstate = _build_change(
    "reinstate",
    "Lift a suspension that you placed, or somebody below you.\n\n"
    "\b\nExample:\n  hansa accredit reinstate ID --reason audit-passed --as chamber",
)
revoke = _build_change(
    "revoke",
    "End a link, and all below it, for ever; or give one of your own back.\n\n"
    "\b\nExample:\n  hansa accredit revoke ID --reason fraud --as chamber",
)

command = build_group(
    APPLICATION,
    shown_as="accredit",
    own=(authorise, accredit, attest, suspend, reinstate, revoke, recognise, tree, check),
)
