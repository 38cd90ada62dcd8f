"""The story: verified once in person, then a business, a doctor and no form twice, in two cities.

Each part says what it expects and checks it.
"""

from typing import Final

from hansa.cli.demo.identity.business import (
    open_in_city_a,
    open_in_city_b,
    send_clerk,
    verify_in_person,
)
from hansa.cli.demo.identity.cast import PLAN, ROLES
from hansa.cli.demo.identity.health import break_glass, see_doctor, withdraw_consent
from hansa.cli.demo.identity.proofs import revoke_licence, verify_offline
from hansa.cli.demo.identity.scene import Scene
from hansa.cli.demo.identity.trust import accredit_issuers, publish_schemas
from hansa.cli.demo.sign_ins import write_page
from hansa.cli.demo.stage import Stage

CHAPTERS: Final = (
    publish_schemas,
    accredit_issuers,
    verify_in_person,
    open_in_city_a,
    open_in_city_b,
    send_clerk,
    see_doctor,
    withdraw_consent,
    break_glass,
    revoke_licence,
    verify_offline,
)
IDENTITY_STEPS: Final = len(CHAPTERS) + 1


class IdentityStory:
    """A league of two cities, and what a person and her firm do in it."""

    def __init__(self, stage: Stage) -> None:
        self.scene = Scene(stage)
        self.stage = stage

    def make_league(self) -> str:
        """The league in its folder; its chain."""
        self.scene.story.make_league(PLAN)
        return self.scene.story.chain

    def tell(self, url: str) -> None:
        """Everything after the start."""
        self.stage.say(f"the league {self.scene.story.chain} answers at {url}")
        for chapter in CHAPTERS:
            chapter(self.scene)

    def tell_next(self, url: str) -> None:
        """Where the console is, with a sign-in for each role; what to try next."""
        folder = self.stage.folder.name
        self.stage.say("")
        self.stage.say(f"open {url}/")
        page = write_page(self.stage.folder, url, ROLES)
        self.stage.say(f"sign in with one click: {page.as_uri()}")
        self.stage.say("")
        self.stage.say("Try next, in another terminal:")
        for line in (
            f"cd {folder}",
            "hansa accredit tree --as nobody",
            "hansa grant log --as mei",
            "hansa verify demo/licence.a.bundle.json",
        ):
            self.stage.say(f"  {line}")
