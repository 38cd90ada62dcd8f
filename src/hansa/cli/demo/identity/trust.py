"""Who may say what: schemas, roots by vote, accredited issuers, and what one city recognises."""

from hansa.cli.demo.identity.cast import (
    CITY_A,
    CITY_B,
    COMPANIES_A,
    COMPANIES_B,
    FRAMEWORK,
    REGISTRY,
    ROOT_A,
    ROOT_B,
)
from hansa.cli.demo.identity.forms import LICENCE_SCHEMA, PERSON_SCHEMA
from hansa.cli.demo.identity.scene import Scene, read_event

PERSON_LINE, LICENCE_LINE = "person:1", "licence:1"
LIST_SIZE = 100_000


def publish_schemas(scene: Scene) -> None:
    """Two schemas, each its document's hash."""
    scene.stage.step("Schemas: what a credential of each kind says, published once for both cities")
    for name, schema, owner in (
        ("person", PERSON_SCHEMA, REGISTRY),
        ("licence", LICENCE_SCHEMA, COMPANIES_A),
    ):
        file = scene.story.write(f"{name}.schema.json", schema)
        publish = f"--name {name} --version 1.0.0 --as {owner}".split()
        scene.done(f"{owner} published {name}", "schema publish", file, *publish)


def accredit_issuers(scene: Scene) -> None:
    """A root for each city by a vote of both; each accredits issuers; nobody exceeds its own."""
    stage = scene.stage
    stage.step("Who may issue them: roots by a vote of the league, issuers by their root")
    for root, city, other in ((ROOT_A, CITY_A, ROOT_B), (ROOT_B, CITY_B, ROOT_A)):
        asked = f"accredit authorise {root} --framework {FRAMEWORK} --jurisdiction {city}"
        scene.decide(
            f"{other} says yes: {root} is a root authority for {city}",
            asked, "--basis", "league-treaty-1", by=root, other=other,
        )  # fmt: skip
    tree = scene.done("both stand in the tree, for everybody to see", "accredit tree --as nobody")
    for root in tree.document["roots"]:
        place = root["link"]["scope"][0]["jurisdictions"][0]
        scene.known[f"root {place}"] = root["link"]["id"]
    for issuer, line, root, city in (
        (REGISTRY, PERSON_LINE, ROOT_A, CITY_A),
        (COMPANIES_A, LICENCE_LINE, ROOT_A, CITY_A),
        (COMPANIES_B, LICENCE_LINE, ROOT_B, CITY_B),
    ):
        under = scene.known[f"root {city}"]
        given = scene.done(
            f"{issuer} may issue {line} in {city}",
            f"accredit attest {issuer} --under {under} --schema {line}",
            *f"--jurisdiction {city} --basis civic-law-7 --as {root}".split(),
        )
        scene.known[issuer] = str(read_event(given, "Accredited").get("accreditation", ""))
    ran = scene.do(
        f"accredit attest {REGISTRY} --under {scene.known[f'root {CITY_A}']} --schema",
        *f"{PERSON_LINE} --jurisdiction {CITY_B} --basis civic-law-7 --as {ROOT_A}".split(),
    )
    stage.expect_refused(
        ran, "accreditations.exceeds_parent", f"{ROOT_A} accredits for the other city, {CITY_B}:"
    )
    recognise(scene)


def open_lists(scene: Scene) -> None:
    """Status lists: from now on what is issued can be revoked."""
    for issuer in (REGISTRY, COMPANIES_A, COMPANIES_B):
        scene.done(
            f"{issuer} can revoke what it issues; an index says nothing of anybody",
            f"credential open-status-list --issuer {issuer} --list main",
            *f"--size {LIST_SIZE} --as {issuer}".split(),
        )


def recognise(scene: Scene) -> None:
    """What city A attests counts in city B, by a vote of both."""
    scene.decide(
        f"{ROOT_A} says yes: what {CITY_A} attests of persons and licences counts in {CITY_B}",
        f"accredit recognise --framework {FRAMEWORK} --from {CITY_A} --in {CITY_B}",
        *f"--schema {PERSON_LINE} --schema {LICENCE_LINE} --level high".split(),
        "--basis", "league-treaty-2", by=ROOT_B, other=ROOT_A,
    )  # fmt: skip
