"""Signing in and out. The key signs in the browser; only the signed statement comes here."""

import re
import time
from functools import cache
from pathlib import Path

from hansa.console.answers import Answer
from hansa.console.asking import ApiProblem
from hansa.console.cookies import SESSION
from hansa.console.problems import advise, explain, refuse_address
from hansa.console.routing import page
from hansa.console.visit import Visit, is_own_path
from hansa.locales.languages import LANGUAGES
from hansa.locales.words import load_words

# Sentences of our scripts: `say("…")`, double quotes.
SENTENCES = re.compile(r'\bsay\(\s*"((?:[^"\\]|\\.)*)"')


@page("GET", "/sign-in")
async def show_sign_in(visit: Visit) -> Answer:
    """The keys of this browser, a key file, or a statement signed elsewhere."""
    return await _render(visit, visit.query.get("next", ""), account=visit.query.get("account", ""))


@page("POST", "/sign-in")
async def sign_in(visit: Visit) -> Answer:
    """Open a session with a signed statement; its token becomes a cookie that no script sees."""
    wanted = visit.form.get("next", "")
    statement = "".join(visit.form.get("statement", "").split())
    try:
        opened = await visit.api.post(
            "/v1/sessions", content=statement.encode(), media="application/jose"
        )
    except ApiProblem as problem:
        if problem.status not in (400, 403):
            raise
        visit.note("refused", f"{explain(visit, problem)} {advise(visit, problem)}")
        return await _render(visit, wanted, status=403)
    if visit.session is not None:
        await visit.api.ask("DELETE", "/v1/sessions/current")
    left_s = max(1, (int(opened["expires_ms"]) - time.time_ns() // 1_000_000) // 1000)
    visit.set_cookie(SESSION, str(opened["token"]), left_s)
    visit.notices.clear()
    return visit.redirect(wanted if is_own_path(wanted) else "/")


@page("POST", "/sign-out", access="signed_in")
async def sign_out(visit: Visit) -> Answer:
    """End the session here and at the gateway."""
    await visit.api.ask("DELETE", "/v1/sessions/current")
    visit.set_cookie(SESSION, "", 0)
    return visit.redirect("/", done=visit.words("You have signed out."))


@page("GET", "/words/{language}.json")
async def show_words(visit: Visit) -> Answer:
    """The sentences of our scripts in one language, for `static/js/words.js`."""
    language = LANGUAGES.get(visit.parts["language"])
    if language is None:
        raise refuse_address()
    words = load_words(language.tag)
    return visit.json({each: words(each) for each in _list_sentences(visit)})


def _list_sentences(visit: Visit) -> tuple[str, ...]:
    return collect_sentences(tuple(str(path) for path in visit.frame.assets.list_scripts()))


@cache
def collect_sentences(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Every sentence that the scripts say, sorted."""
    found: set[str] = set()
    for path in paths:
        texts = SENTENCES.findall(Path(path).read_text(encoding="utf-8"))
        found.update(text.replace('\\"', '"') for text in texts)
    return tuple(sorted(found))


async def _render(visit: Visit, wanted: str, *, account: str = "", status: int = 200) -> Answer:
    """The page; with `account` also a challenge for signing elsewhere."""
    challenge = None
    if account:
        challenge = await visit.api.post("/v1/sessions/challenge", json={"account": account})
    service = await visit.api.get("/v1/status")
    return visit.render(
        "sign_in.html",
        status=status,
        wanted=wanted if is_own_path(wanted) else "/",
        account=account,
        challenge=challenge,
        chain=service["chain"],
    )
