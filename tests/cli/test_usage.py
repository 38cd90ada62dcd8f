"""Wrong use is told in words, with the nearest right one, exit code 2, and never a stack trace."""

import json
import os
import subprocess

import pytest

from tests.cli.processes import HANSA, Shell


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("stat",), "Did you mean 'start'?"),
        (("nothing-like-it",), "nothing-like-it"),
        (("keys", "lis"), "list"),
        (("verify",), "FILES"),
        (("--no-such-option",), "--no-such-option"),
        (("e-invoice", "deliver-invoice"), "--invoice is missing"),
        (("e-invoice", "deliver-invoice", "--invoice", "x"), "hansa init"),
        (("tx", "wait", "abc"), "64 hex"),
    ],
)
def test_wrong_use_is_exit_2_with_a_hint(shell: Shell, words: tuple[str, ...], said: str) -> None:
    done = shell.run(*words)
    assert done.exit == 2
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize("words", [("stat",), ("status",), ("keys", "show", "nobody")])
def test_refusals_in_json_are_one_document_with_code_and_remedy(
    shell: Shell, words: tuple[str, ...]
) -> None:
    done = shell.run(*words, "--json")
    assert done.exit == 2
    assert done.json["error"]["code"]
    assert done.json["error"]["remedy"]


def test_without_a_league_the_next_step_is_named(shell: Shell) -> None:
    done = shell.run("status")
    assert done.exit == 2
    assert "hansa init" in done.err


def test_a_node_that_does_not_answer_is_exit_2(shell: Shell) -> None:
    done = shell.run("status", "--node", "http://127.0.0.1:9")
    assert done.exit == 2
    assert "client.unreachable" in done.err


def test_a_node_that_is_no_address_is_exit_2(shell: Shell) -> None:
    for address in ("nonsense", "ftp://127.0.0.1", "http://", "http://[", "file:///etc/passwd"):
        done = shell.run("status", "--node", address)
        assert done.exit == 2, address
        assert "✗ client." in done.err or "✗ cli.place" in done.err
        assert "next: " in done.err


def test_unexpected_faults_show_no_trace_unless_asked_for(shell: Shell) -> None:
    hidden = shell.run("e-invoice", "check", "x.xml", PYTHONPATH=str(_broken(shell)))
    assert hidden.exit == 2
    assert "HANSA_DEBUG=1" in hidden.err
    shown = subprocess.run(
        [HANSA, "e-invoice", "check", "x.xml"],
        cwd=shell.folder,
        env=shell.environment | {"PYTHONPATH": str(_broken(shell)), "HANSA_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" in shown.stderr


def _broken(shell: Shell) -> object:
    """A folder whose `lxml` fails to load, as a broken installation would."""
    folder = shell.folder / "broken"
    folder.mkdir(exist_ok=True)
    (folder / "lxml.py").write_text("raise RuntimeError('broken')\n")
    return folder


def test_closed_pipe_is_not_an_error(shell: Shell) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [HANSA, "--help"],
        env=shell.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_version(shell: Shell) -> None:
    done = shell.run("--version")
    assert done.exit == 0
    assert done.out.startswith("hansa, version ")


def test_json_is_one_document(shell: Shell) -> None:
    done = shell.run("keys", "list", "--json")
    assert json.loads(done.out) == []
