"""`hansa service`: a key for one application, tokens shown once, both ended at once."""

import stat

import httpx
import pytest

from tests.cli.processes import Shell

pytestmark = pytest.mark.slow
EVENT = {
    "@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
    "type": "ObjectEvent",
    "eventTime": "2026-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+08:00",
    "action": "OBSERVE",
    "bizStep": "storing",
    "epcList": ["urn:epc:id:sgtin:9521000.000001.1"],
    "readPoint": {"id": "urn:epc:id:sgln:9521000.00001.0"},
}


def test_a_program_captures_until_it_is_revoked(shell: Shell) -> None:
    shell.ask("init", "bay")
    home = shell.folder / "bay"
    with shell.started(home) as url:
        inside = Shell(shell.folder.parent / "home", home)
        made = inside.ask("service", "make", "food-trace", "--as", "seller-a")
        again = inside.ask("service", "make", "food-trace", "--as", "seller-a")
        assert made == again and made["application"] == "food_trace"
        key = home / "service" / "keys" / "food_trace.key.json"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        client = inside.ask("service", "client", "gate 3", "food-trace", "--may", "capture")
        assert inside.run("service", "client", "gate 3", "food-trace").exit == 2
        reader = inside.ask("service", "client", "screen", "food-trace", "--days", "7")
        assert (client["may"], reader["may"]) == ("capture", "read")
        listed = inside.run("service", "list").out
        assert "gate 3" in listed and "open" in listed and client["token"] not in listed
        epcis = f"{url}/food-trace/epcis"
        writing = {"authorization": f"Bearer {client['token']}"}
        reading = {"authorization": f"Bearer {reader['token']}"}
        sent = httpx.post(f"{epcis}/events", json=EVENT, headers=writing, timeout=60)
        assert sent.status_code == 201, sent.text
        assert httpx.post(f"{epcis}/events", json=EVENT, headers=reading).status_code == 403
        assert httpx.get(f"{epcis}/events", headers=reading).status_code == 200
        inside.ask("service", "revoke-client", "gate 3")
        assert httpx.get(f"{epcis}/events", headers=writing).status_code == 401
        assert inside.run("service", "revoke-client", "gate 3").exit == 2
        ended = inside.ask("service", "revoke", "food-trace", "--as", "seller-a")
        assert ended["account"] == made["account"] and not key.exists()
        assert httpx.get(f"{epcis}/events", headers=reading).status_code == 401
        account = inside.ask("accounts", "show", "account", made["account"])
        assert account["standing"][-1]["standing"] == "closed"
        assert inside.run("service", "revoke", "food-trace", "--as", "seller-a").exit == 2
        log = (home / "node.log").read_text()
        assert client["token"].rpartition(".")[2] not in log


def test_what_cannot_be_is_said_with_the_next_step(shell: Shell) -> None:
    for arguments, said in (
        (("make", "nothing"), "there are: e-invoice, food-trace"),
        (("make", "food-trace"), "give --league DIR"),
        (("client", "x", "food-trace"), "give --league DIR"),
        (("client", "x", "food-trace", "--days", "0"), "--days"),
        (("list", "--node", "http://127.0.0.1:1"), "lives in a node's home"),
    ):
        done = shell.run("service", *arguments)
        assert done.exit == 2 and said in done.err, (arguments, done)
