"""The story of a wallet at the command line, on a real league: offered, redeemed, asked, shown."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hansa.identity.token_status import VALID, parse_status_token
from tests.api.openid.wallet import Key, Wallet, read_jwt
from tests.cli.processes import Shell
from tests.cli.test_credential_story import CLAIMS, Story

pytestmark = pytest.mark.slow
SD_JWT, LDP = "degree-1.0.0.dc+sd-jwt", "degree-1.0.0.ldp_vc"
CLERK = ("--as", "seller-a")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    base = tmp_path_factory.mktemp("wallets")
    outside = Shell(base / "home", base)
    outside.ask("init", "bay")
    with outside.started(base / "bay") as url:
        story = Story(Shell(base / "home", base / "bay"), url)
        story.open()
        story.write("ada.json", CLAIMS)
        yield story


@pytest.fixture
def wallet(story: Story) -> Iterator[Wallet]:
    made = Wallet(story.url, story.url)
    with made.http:
        yield made


def offer(story: Story, *options: str) -> dict[str, Any]:
    asked = ("credential", "offer", story.folder / "ada.json", "--schema", "degree", *CLERK)
    return dict(story.shell.ask(*asked, *options))


def test_before_the_doors_are_open_nothing_is_offered(story: Story, wallet: Wallet) -> None:
    done = story.shell.run(
        "credential", "offer", story.folder / "ada.json", "--schema", "degree", *CLERK
    )
    assert done.exit == 1 and "serve-wallets" in done.err
    assert wallet.http.get("/.well-known/openid-credential-issuer").status_code == 404
    opened = story.shell.ask("credential", "serve-wallets", *CLERK)
    again = story.shell.ask("credential", "serve-wallets", *CLERK)
    assert opened == again and "#wallets-" in opened["kid"]
    assert story.shell.run("doctor", story.shell.folder).exit == 0
    assert wallet.read_metadata()["credential_configurations_supported"].keys() == {SD_JWT, LDP}


def test_from_the_offer_to_the_refusal(story: Story, wallet: Wallet) -> None:
    ask = story.shell.ask
    made = offer(story, "--tx-code")
    key = Key()
    credential = wallet.receive(made["uri"], SD_JWT, key, tx_code=made["tx_code"])
    assert ask("credential", "offered", made["id"], *CLERK)["state"] == "issued"
    header, claims = read_jwt(credential.split("~")[0])
    assert header["alg"] == "ES256"
    place = claims["status"]["status_list"]

    def read_status() -> int:
        answer = wallet.get(place["uri"], headers={"accept": "application/statuslist+jwt"})
        return parse_status_token(answer.text, uri=place["uri"]).get(place["idx"])

    assert read_status() == VALID  # signed by the same key, for verifiers elsewhere

    def present(*options: str, exit_: int) -> dict[str, Any]:
        request = ask("credential", "request", *CLERK, *options)
        fetched = wallet.fetch_request(request["uri"])
        shown = wallet.present(credential, key, fetched, ("degree",))
        (query,) = fetched["dcql_query"]["credentials"]
        if exit_ == 0:
            ask("credential", "request", "show", request["id"], *CLERK, expect=2)  # not yet
        wallet.answer(fetched, {query["id"]: [shown]})
        if exit_ == 0:
            told = story.shell.run("credential", "request", "show", request["id"], *CLERK)
            assert told.exit == 0 and "degree = MSc" in told.out and "✓ status" in told.out
        return dict(ask("credential", "request", "show", request["id"], *CLERK, expect=exit_))

    by_schema = ("--schema", "degree", "--claim", "degree", "--need-status")
    seen = present(*by_schema, "--jurisdiction", "CN", exit_=0)
    (shown,) = seen["answer"]["presentations"]
    assert shown["claims"] == [{"degree": "MSc"}]
    passed = {each["name"] for each in shown["checks"] if each["outcome"] == "passed"}
    assert {"accreditation", "accreditation_now", "status", "schema", "holder"} <= passed
    query = {"credentials": [{"id": "q", "format": "dc+sd-jwt", "meta": {"vct_values": ["x"]}}]}
    present("--dcql", str(story.write("query.json", query)), exit_=1)

    (index,) = made["indexes"]
    ask("credential", "revoke", "--list", made["list"], "--index", str(index), *CLERK)
    refused = present(*by_schema, exit_=1)
    (shown,) = refused["answer"]["presentations"]
    assert "revoked" in {each["code"] for each in shown["checks"]} and shown["claims"] == []


def test_a_code_is_shown_on_the_terminal_or_drawn(story: Story) -> None:
    asked = ("credential", "offer", story.folder / "ada.json", "--schema", "degree", *CLERK)
    shown = story.shell.run(*asked)
    assert shown.exit == 0 and "▀" in shown.out and "openid-credential-offer://" in shown.out
    assert "Ada" not in shown.out + shown.err
    file = story.folder / "offer.svg"
    assert story.shell.run(*asked, "--svg", file).exit == 0 and "<svg" in file.read_text()
    assert story.shell.run(*asked, "--svg", file).exit == 2  # is there already
    drawn = story.shell.run("credential", "request", "--schema", "degree", *CLERK)
    assert drawn.exit == 0 and "openid4vp://" in drawn.out
    neither = story.shell.run("credential", "request", *CLERK)
    assert neither.exit == 2 and "--dcql" in neither.err


def test_a_w3c_credential_is_judged_as_any_other(story: Story, wallet: Wallet) -> None:
    made = offer(story, "--form", "vc", "--by-value", "--days", "30")
    credential = wallet.receive(made["uri"], LDP, Key())
    assert credential["proof"]["cryptosuite"] == "ecdsa-jcs-2019"
    file = story.write("ada.vc.json", json.dumps(credential))
    assert story.verify(file) == []


def test_a_wallet_that_its_clerk_approves(story: Story, wallet: Wallet) -> None:
    ask = story.shell.ask
    made = offer(story, "--grant", "authorisation", "--holder", "buyer")
    grants = wallet.open_offer(made["uri"])["grants"]
    pushed = wallet.http.post(
        "/openid/par",
        data={
            "response_type": "code",
            "client_id": "w",
            "redirect_uri": "wallet:/back",
            "code_challenge": "A" * 43,
            "code_challenge_method": "S256",
            "issuer_state": grants["authorization_code"]["issuer_state"],
        },
    ).json()
    fields = {"client_id": "w", "request_uri": pushed["request_uri"]}
    page = wallet.http.get("/openid/authorize", params=fields).text
    pairing = page.partition("<strong>")[2].partition("</strong>")[0]
    refused = story.shell.run("credential", "approve", pairing, "--as", "employer")
    assert refused.exit == 1 and "openid.not_yours" in refused.err
    ask("credential", "approve", pairing.lower(), "--as", "buyer")  # whose credential it is
    gone = wallet.http.get("/openid/authorize", params=fields)
    assert gone.status_code == 302 and "code=" in gone.headers["location"]
    other = offer(story)
    ask("credential", "approve", other["id"], "--refuse", *CLERK)
    assert wallet.redeem(other["uri"]).json()["error"] == "invalid_grant"
    assert story.shell.run("credential", "offered", other["id"], *CLERK).exit == 1
