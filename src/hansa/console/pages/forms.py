"""The form of a message: filled in, judged, shown as it will be signed; the browser signs and
sends. Nothing is stored here: what was typed travels with the page.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from babel.numbers import get_decimal_symbol

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem, join_path
from hansa.console.describing import Described, describe, describe_all, need
from hansa.console.forms.control import (
    Control,
    add_row,
    build_controls,
    fill_defaults,
    remove_row,
)
from hansa.console.forms.entry import ROWS_MAX, Lookup, count_rows, read_form, type_body
from hansa.console.forms.faults import Fault, find_path, guess_path
from hansa.console.forms.options import is_closed, load_options, name_source
from hansa.console.forms.shape import Shape
from hansa.console.pages.bulk import find_reader, read_file, show_bulk
from hansa.console.pages.cosigning import (
    KEY,
    NEEDS_ANOTHER,
    OTHER,
    WITH,
    Cosigner,
    find_cosigner,
)
from hansa.console.pages.key_requests import (
    PROOF,
    NoRequest,
    find_account,
    read_request,
    takes_request,
)
from hansa.console.people import Change, list_changes, name_all, read_params
from hansa.console.problems import advise, explain, refuse_address
from hansa.console.routing import page
from hansa.console.values import Reader, Shown, write_json
from hansa.console.visit import Visit

# Fields of the page itself, beside those of the message.
_STEP, _DRAFT, _SEEN, _FILE = "_step", "_draft", "_seen", "_file"
_REQUEST = "_request"
# What the ledger refuses a message for, whoever reads the API's answer.
_JUDGED = (400, 403, 404, 409, 413, 422, 429)


class _Form:
    """One visit to the form of one message."""

    def __init__(self, visit: Visit, about: Described, name: str, lookup: Lookup) -> None:
        self.visit = visit
        self.about = about
        self.name = name
        self.shape = need(about.message(name))
        self.lookup = lookup
        self.decimal = get_decimal_symbol(visit.words.language.locale)
        given = {**visit.query, **visit.form}
        self.step = given.pop(_STEP, "check")
        self.draft = given.pop(_DRAFT, "") or secrets.token_urlsafe(12)
        self.seen = given.pop(_SEEN, "")
        self.file = given.pop(_FILE, "")
        self.request = given.pop(_REQUEST, "")
        self.beside = {name: given.pop(name, "") for name in (WITH, OTHER, KEY)}
        self.cosigner = Cosigner()
        self.typed = given

    @property
    def path(self) -> str:
        """The page's own address."""
        return join_path("apps", self.about.name, "messages", self.name)

    @property
    def wants_key(self) -> bool:
        """Whether it enters a key that is not in it yet."""
        return self.shape.field(PROOF) is not None and not self.typed.get(PROOF)


async def _open(visit: Visit) -> _Form:
    about = await describe(visit, visit.parts["app"])
    name = visit.parts["message"]
    if name not in about.messages:
        raise refuse_address()
    known = {each.name: each for each in await describe_all(visit)}

    def lookup(application: str, message: str) -> Shape | None:
        found = known.get(application)
        return found.message(message) if found and message in found.governed else None

    return _Form(visit, about, name, lookup)


@page("GET", "/apps/{app}/messages/{message}", access="signed_in")
async def show_form(visit: Visit) -> Answer:
    """A fresh form; what stands in the query is filled in already."""
    form = await _open(visit)
    if form.name not in form.about.sendable:
        return visit.redirect(_propose(form.about.name, form.name))
    form.typed = fill_defaults(form.shape, form.typed)
    return await _render(form, [])


def _propose(app: str, message: str) -> str:
    """The form of the proposal that carries a message which only governance sends."""
    pairs = f"actions.0.application={app}&actions.0.type={message}"
    return f"/apps/governance/messages/Propose?{pairs}"


@page("POST", "/apps/{app}/messages/{message}", access="signed_in")
async def take_form(visit: Visit) -> Answer:
    """Judge what was typed; show what would be signed, or what is wrong."""
    form = await _open(visit)
    form.cosigner = await find_cosigner(visit, form.beside)
    action, _sep, place = form.step.partition(":")
    if action == "file":
        return await _take_file(form)
    if action == "request":
        return await _take_request(form)
    if action in ("add", "remove"):
        _change_rows(form, action, place)
    if action != "check":
        return await _render(form, [])
    body, faults = read_form(form.shape, form.typed, decimal=form.decimal, lookup=form.lookup)
    if faults or form.cosigner.fault:
        return await _render(form, faults)
    try:
        prepared = await visit.api.post(
            join_path("v1", "apps", form.about.name, "messages", form.name),
            json=body,
            params={"signer": str((visit.session or {})["key"]), "trial": True},
        )
    except ApiProblem as problem:
        if problem.status not in _JUDGED:
            raise
        return await _render(form, [_read_problem(form, problem)])
    changes = await list_changes(visit, form.about, form.shape, body)
    verdict = prepared["verdict"]
    if verdict["code"] == "ok":
        return await _preview(form, prepared, changes)
    fault = await _read_verdict(form, verdict)
    if form.cosigner.kid:
        return await _preview(form, prepared, changes, fault)
    needs_another = verdict["code"] in NEEDS_ANOTHER
    return await _render(form, [fault], changes=changes, needs_another=needs_another)


async def _take_file(form: _Form) -> Answer:
    """Fill the form out of a file that the application reads; of several bodies, show them all."""
    found = await read_file(form.visit, form.about, form.name, form.file)
    faults = [
        Fault("", text=f"{each['text']} ({each['path']})", rule=each["rule"])
        for each in found["faults"]
        if each["flag"] == "fatal" or not found["bodies"]
    ]
    bodies = found["bodies"]
    if len(bodies) > 1 and not faults:
        return await show_bulk(form.visit, form.about, form.name, bodies, form.draft)
    if bodies and not faults:
        typed = type_body(form.shape, bodies[0], decimal=form.decimal)
        kept = {name: text for name, text in form.typed.items() if text and not typed.get(name)}
        form.typed = {**typed, **_keep_fingerprints(form, kept)}
        form.visit.note(
            "news", form.visit.words("Filled in from the file. Read it before you go on.")
        )
    return await _render(form, faults)


async def _take_request(form: _Form) -> Answer:
    """Fill the form out of a key request; what it does not say stays as it was typed."""
    words = form.visit.words
    chain = str((await form.visit.api.get("/v1/status"))["chain"])
    try:
        typed = read_request(
            form.request, form.shape, chain=chain, decimal=form.decimal, lookup=form.lookup
        )
    except NoRequest as wrong:
        return await _render(form, [Fault("", text=words(wrong.sentence, **wrong.params))])
    form.typed = {**form.typed, **typed}
    form.request = ""
    form.visit.note("news", words("Filled in from the request. Read it before you go on."))
    account = find_account(typed)
    if account and "account" not in {each.name for each in form.shape.fields}:
        text = words("The key opens the account {did}. Compare it with its owner.", did=account)
        form.visit.note("news", text)
    return await _render(form, [])


def _keep_fingerprints(form: _Form, typed: Mapping[str, str]) -> dict[str, str]:
    """What the browser made of the file itself: commitments and digests."""
    root = build_controls(form.shape, typed, lookup=form.lookup)
    return {
        each.path: each.text
        for each in root.walk()
        if each.shape.meaning in ("commitment", "digest") and each.text
    }


def _change_rows(form: _Form, action: str, place: str) -> None:
    """Add a row to the list at `place`, or remove the row `place`."""
    path, _sep, row = place.rpartition(".") if action == "remove" else (place, "", "0")
    found = find_list(form.shape, path, form.typed, form.lookup)
    if found is None or not (row.isascii() and row.isdigit() and len(row) < 5):
        return
    count = count_rows(found, path, form.typed)
    if action == "add":
        form.typed = add_row(form.typed, path, count)
    elif int(row) < ROWS_MAX:
        form.typed = remove_row(form.typed, path, int(row), count)


def find_list(shape: Shape, path: str, typed: Mapping[str, str], lookup: Lookup) -> Shape | None:
    """The list of a form at that path."""
    root = build_controls(shape, typed, lookup=lookup)
    return next(
        (each.shape for each in root.walk() if each.path == path and each.shape.kind == "list"),
        None,
    )


def _read_problem(form: _Form, problem: ApiProblem) -> Fault:
    """A refusal of the API, at its field when it names one."""
    path = find_path(str(problem.params.get("path", "")))
    paths = _list_paths(form)
    if path not in paths:
        path = guess_path(paths, form.typed, problem.code, problem.params)
    return Fault(
        path,
        text=explain(form.visit, problem),
        remedy=advise(form.visit, problem),
        rule=problem.rule,
    )


async def _read_verdict(form: _Form, verdict: Mapping[str, Any]) -> Fault:
    """What the ledger would refuse it for."""
    words, code = form.visit.words, verdict["code"]
    params = await read_params(form.visit, verdict["params"])
    return Fault(
        guess_path(_list_paths(form), form.typed, code, verdict["params"]),
        text=words.of("rejection", code, default=verdict["text"], params=params),
        remedy=words.of("remedy", code, default=verdict["remedy"], params=params),
        rule=verdict["rule"],
    )


def _list_paths(form: _Form) -> list[str]:
    root = build_controls(form.shape, form.typed, lookup=form.lookup)
    return [each.path for each in root.walk() if each.path]


async def _render(
    form: _Form,
    faults: list[Fault],
    *,
    changes: list[Change] | None = None,
    needs_another: bool = False,
) -> Answer:
    visit = form.visit
    if not form.cosigner.members:
        form.cosigner = await find_cosigner(visit, form.beside)
    root = build_controls(form.shape, form.typed, faults, form.lookup)
    options = await load_options(visit, form.about.name, root)
    faulty = [each for each in root.walk() if each.faults and each.path]
    return visit.render(
        "applications/form.html",
        status=422 if faults or form.cosigner.fault else 200,
        form=form,
        cosigner=form.cosigner,
        needs_another=needs_another,
        about=form.about,
        message=form.about.messages[form.name],
        root=root,
        faulty=faulty,
        file_reader=find_reader(form.about, form.name),
        takes_request=takes_request(form.shape),
        options=options,
        source=name_source,
        is_closed=is_closed,
        changes=changes or [],
        seen=form.seen or await _look(form),
        reader=Reader(form.about.name, visit.words, visit.writing),
    )


async def _look(form: _Form) -> str:
    """Which version of the records it names a fresh form was opened on: `height height`."""
    body, _faults = read_form(form.shape, form.typed, decimal=form.decimal, lookup=form.lookup)
    changes = await list_changes(form.visit, form.about, form.shape, body)
    return " ".join(f"{each.kind}/{each.key}@{each.height}" for each in changes)


async def _preview(
    form: _Form,
    prepared: Mapping[str, Any],
    changes: list[Change],
    refused: Fault | None = None,
) -> Answer:
    """What is signed, exactly and in words, and the button that signs it. `refused`: what the
    ledger would say to the reader's signature alone, where another signs too.
    """
    visit = form.visit
    kid = (visit.session or {})["key"]
    others = [form.cosigner.kid] if form.cosigner.kid else []
    body = prepared["message"]["body"]
    reader = Reader(form.about.name, visit.words, visit.writing, await name_all(visit, body))
    shown = reader.show(_resolve(form), body)
    seen = dict(each.rpartition("@")[::2] for each in form.seen.split())
    newer = [
        each
        for each in changes
        if seen.get(f"{each.kind}/{each.key}", str(each.height)) != str(each.height)
    ]
    return visit.render(
        "applications/preview.html",
        form=form,
        about=form.about,
        message=form.about.messages[form.name],
        parts=shown.parts[0].parts
        if [each.kind for each in shown.parts] == ["group"]
        else shown.parts,
        prepared=prepared,
        cosigner=form.cosigner,
        refused=refused,
        request={
            "kid": kid,
            "signers": [kid, *others],
            "chain": prepared["chain"],
            "messages": [
                {
                    "app": form.about.name,
                    "type": form.name,
                    "body": body,
                }
            ],
        },
        canonical=write_json(prepared["message"]),
        newer=newer,
    )


def _open_only_group(parts: tuple[Shown, ...]) -> tuple[Shown, ...]:
    """A message that is one group says no more by the group's name."""
    return parts[0].parts if len(parts) == 1 and parts[0].kind == "group" else parts


def _resolve(form: _Form) -> Shape:
    """The form's shape with the bodies of actions by their own messages, for words."""
    root = build_controls(form.shape, form.typed, lookup=form.lookup)
    return _resolve_control(root)


def _resolve_control(control: Control) -> Shape:
    shape = control.shape
    if shape.kind == "action":
        return replace(shape, kind="group", fields=tuple(each.shape for each in control.parts))
    if shape.kind == "group":
        return replace(shape, fields=tuple(_resolve_control(each) for each in control.parts))
    if shape.kind == "list" and shape.item is not None and control.parts:
        return replace(shape, item=_resolve_control(control.parts[0]))
    return shape
