"""What the chapters of the story share: the league, its people, files, and how verdicts are held
to what was expected.
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hansa.cli.demo.stage import Ran, Stage
from hansa.cli.demo.story import Story
from hansa.client.faults import ClientError


class Scene:
    """The stage, the folder of papers, and what was learnt on the way."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.story = Story(stage, [])
        # What an earlier chapter hands to a later one: ids of links, grants and so on.
        self.known: dict[str, str] = {}
        self._proposals = 0

    def paper(self, name: str) -> Path:
        """A file of the story."""
        return self.story.work / name

    def do(self, words: str, *more: str | Path, show: bool = True) -> Ran:
        """Run a command, given as one types it; further words go at its end."""
        return self.stage.run(*words.split(), *more, show=show)

    def done(self, text: str, words: str, *more: str | Path) -> Ran:
        """Run a command that must say yes; without it the story cannot go on."""
        ran = self.do(words, *more)
        self.stage.expect_yes(ran, text)
        if ran.exit != 0:
            raise ClientError(f"the story ends here: {text}", "see the line above")
        return ran

    def decide(self, text: str, words: str, *more: str, by: str, other: str) -> None:
        """What governance decides: one root proposes, and it holds when the other says yes."""
        self.done(f"proposed by {by}", words, *more, "--as", by)
        self._proposals += 1
        vote = f"governance vote --proposal {self._proposals} --choice yes --as {other}"
        self.done(text, vote)

    def ask_nonce(self) -> str:
        """What a verifier asks with: used once."""
        return secrets.token_hex(8)

    def expect_check(self, ran: Ran, check: str, code: str) -> None:
        """The verdict is no, and this check says why."""
        found = [(each["name"], each["code"]) for each in read_checks(ran)]
        told = next((each["text"] for each in read_checks(ran) if each["code"] == code), "")
        self.stage.expect(
            ran.exit == 1 and (check, code) in found,
            f"no: {check}: {code}: {told}",
            f"expected {check}: {code}, exit {ran.exit}: {found or ran.text.strip()[-300:]}",
        )

    def expect_verified(self, ran: Ran, text: str) -> None:
        """The verdict is yes, by at least one check that passed."""
        passed = [each["name"] for each in read_checks(ran) if each["outcome"] == "passed"]
        self.stage.expect(
            ran.exit == 0 and bool(passed),
            f"{text} ({', '.join(passed)})",
            f"{text}: exit {ran.exit}: {ran.text.strip()[-300:]}",
        )

    def read(self, name: str) -> str:
        """A paper's text."""
        return self.paper(name).read_text(encoding="utf-8")

    def load(self, name: str) -> dict[str, Any]:
        """A paper's JSON object."""
        found: dict[str, Any] = json.loads(self.read(name))
        return found


def read_checks(ran: Ran) -> list[dict[str, Any]]:
    """The named checks of a verdict; none when there is no verdict."""
    document = ran.document
    return list(document.get("checks", ())) if isinstance(document, dict) else []


def read_event(ran: Ran, kind: str) -> Mapping[str, Any]:
    """The body of the first event of this type that a command's answer names; empty when none."""
    document = ran.document if isinstance(ran.document, dict) else {}
    bodies = [each["body"] for each in document.get("events", ()) if each["type"] == kind]
    return bodies[0] if bodies else {}
