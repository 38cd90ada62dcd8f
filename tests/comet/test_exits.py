"""Why an engine ended: CometBFT's own words to ours. The lines are what v0.39.4 printed."""

import pytest

from hansa.comet.exits import HALTED, explain_exit

STACK = """
goroutine 1 [running]:
main.main()
\t/root/go/pkg/mod/github.com/cometbft/cometbft@v0.39.4/cmd/cometbft/main.go:52 +0x21f
"""
SAID = {
    "address_in_use": "ERROR: failed to start node: listen tcp 127.0.0.1:59405: bind: address "
    "already in use",
    "address_unknown": "ERROR: failed to start node: listen tcp 10.9.9.9:1: bind: cannot assign "
    "requested address",
    "locked": "panic: failed to create node: resource temporarily unavailable" + STACK,
    "configuration": "ERROR: error in config file: error in [mempool] section: size can't be "
    "negative",
    "key_unreadable": "Error reading PrivValidator key from config/k.json: unexpected end of JSON",
    "genesis_differs": "ERROR: failed to create node: error reading GenesisDoc at g.json: genesis "
    "doc must include non-empty chain_id",
    "application_ahead": "ERROR: failed to create node: error during handshake: error on replay: "
    "app block height (9) is higher than core (4)",
    "application_behind": "ERROR: failed to create node: error during handshake: error on replay: "
    "app block height (0) is too far below block store base (7)",
    "state_differs": 'E[2026-11-22] CONSENSUS FAILURE!!! module=consensus err="precommit step; '
    '+2/3 prevoted for an invalid block: wrong Block.Header.AppHash. Expected AA, got BB"',
    "double_sign": "ERROR: failed to start node: found signature from the same key",
    "data_damaged": "ERROR: failed to create node: failed to initialize database: leveldb: "
    "manifest corrupted (field 'comparer'): missing [file=MANIFEST-000000]",
    "disk_full": "panic: write /d/cs.wal/wal: no space left on device" + STACK,
    "application_gone": "E[2026-11-22] consensus connection terminated. Did the application crash? "
    "Please restart CometBFT module=proxy err=EOF",
}


@pytest.mark.parametrize("code", SAID)
def test_known_ends_are_named_with_a_cure(code: str) -> None:
    ended = explain_exit(1, f"I[2026-11-22] Started node\n{SAID[code]}\n".encode())
    assert ended.code == code
    assert ended.text and ended.cure
    assert ended.status == 1


def test_an_unknown_end_is_told_by_its_last_line_that_speaks() -> None:
    ended = explain_exit(2, f"first\nit was the butler{STACK}".encode())
    assert ended.code == "unknown"
    assert "it was the butler" in ended.text


def test_an_end_without_a_word_is_told_by_its_status() -> None:
    assert "status 3" in explain_exit(3, b"").text
    assert "SIGSEGV" in explain_exit(-11, b"\n\n").text


def test_a_killed_engine_is_not_explained_by_older_lines() -> None:
    said = SAID["application_gone"].encode()
    assert explain_exit(-9, said).code == "killed"
    assert explain_exit(-9, said + SAID["state_differs"].encode()).code == "state_differs"


def test_an_end_that_was_asked_for_is_no_fault() -> None:
    assert explain_exit(1, SAID["disk_full"].encode(), asked=True).code == "stopped"


def test_a_peer_that_sends_a_block_nobody_decided_halts_nothing() -> None:
    line = b'E[2026] Error in validation     module=blocksync height=9 err="wrong signature (#1)"'
    assert not HALTED.search(line)


def test_a_log_that_is_no_text_still_gives_words() -> None:
    ended = explain_exit(1, bytes(range(256)) * 50)
    assert ended.code == "unknown" and len(ended.text) < 400
