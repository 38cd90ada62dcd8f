"""`hansa keys`: made once, never overwritten, private, sealed when asked, found by name."""

import stat

from tests.cli.processes import Shell


def test_new_key_is_private_listed_and_shown(shell: Shell) -> None:
    made = shell.ask("keys", "new", "alice")
    path = shell.folder.parent / "home" / "keys" / "alice.key.json"
    assert made["file"] == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    listed = shell.ask("keys", "list")
    assert [each["kid"] for each in listed] == [made["kid"]]
    shown = shell.ask("keys", "show", "alice")
    assert shown["account"] == made["account"]
    assert "d" not in shown["jwk"]


def test_key_is_never_overwritten(shell: Shell) -> None:
    made = shell.ask("keys", "new", "alice")
    done = shell.run("keys", "new", "alice")
    assert done.exit == 2
    assert "client.key" in done.err
    assert shell.ask("keys", "show", "alice")["kid"] == made["kid"]


def test_sealed_key_needs_its_passphrase(shell: Shell) -> None:
    done = shell.run("keys", "new", "alice", "--passphrase", HANSA_PASSPHRASE="open sesame")
    assert done.exit == 0
    text = (shell.folder.parent / "home" / "keys" / "alice.key.json").read_text()
    assert '"d":' not in text
    assert shell.ask("keys", "show", "alice")["sealed"] is True


def test_key_open_to_others_is_refused_with_chmod(shell: Shell) -> None:
    made = shell.ask("keys", "new", "alice")
    from pathlib import Path

    Path(made["file"]).chmod(0o644)
    done = shell.run("keys", "show", "alice")
    assert done.exit == 2
    assert f"chmod 600 {made['file']}" in done.err


def test_use_needs_a_league(shell: Shell) -> None:
    shell.ask("keys", "new", "alice")
    assert shell.run("keys", "use", "alice").exit == 2


def test_bad_names(shell: Shell) -> None:
    for name in ("../alice", "a/b", ".a"):
        done = shell.run("keys", "new", name)
        assert done.exit == 2
        assert "client.key" in done.err
