"""Why an engine ended, read from the last lines of its log. Pure.

The words looked for are CometBFT's own (v0.38 to v0.40); an unknown end is told by its last line.
"""

import re
import signal
from typing import Final, NamedTuple

# Consensus has ended for good, though the process stays. The second: a block that more than two
# thirds decided (its commit was checked before) does not follow from this node's state; the engine
# would blame one peer after the other and never say more.
HALTED: Final = re.compile(
    rb"CONSENSUS FAILURE!!!|Error in validation +module=blocksync [^\n]*wrong Block\.Header\."
)
_KILLED: Final = "the engine was killed: by somebody, or because the machine had no memory left"
# CometBFT cannot mend one of the two alone: an emptied engine under a ledger with blocks crashes.
_JOIN_ANEW: Final = (
    "Put ledger and engine back from one backup made while the node was stopped, or join anew from "
    "a snapshot of the other nodes; keep priv_validator_state.json in any case."
)
_LINE_MAX: Final = 300
# A call is told by its first bracket alone: a line of brackets only would be tried from each.
_CALL: Final = r"[\w./*()-][\w./*)-]*\(.*\)$"
_STACK: Final = re.compile(rf"^(goroutine \d|\t|\s+/|created by |{_CALL}|\[signal )")


class EngineExit(NamedTuple):
    """How the engine ended. `code` is stable; `status` is the exit status, -9 for SIGKILL."""

    code: str
    text: str
    cure: str
    status: int


class _Known(NamedTuple):
    code: str
    pattern: re.Pattern[str]
    text: str
    cure: str


def _known(code: str, pattern: str, text: str, cure: str) -> _Known:
    return _Known(code, re.compile(pattern, re.IGNORECASE), text, cure)


# The first that matches tells: causes before the faults that follow from them.
_KNOWN: Final = (
    _known(
        "disk_full",
        r"no space left on device|disk quota exceeded",
        "the disk is full",
        "Make room on the disk of the node's folder; then start the node again.",
    ),
    _known(
        "address_in_use",
        r"bind: address already in use",
        "the port for other nodes is taken",
        "Stop the program that has the port, or set another one in node.toml.",
    ),
    _known(
        "address_unknown",
        r"bind: cannot assign requested address|lookup .*: no such host.*listen",
        "this machine does not have the address to listen on",
        "Set an address of this machine in node.toml.",
    ),
    _known(
        "address_forbidden",
        r"bind: permission denied",
        "this user may not listen on that port",
        "Set a port above 1023 in node.toml.",
    ),
    _known(
        "locked",
        r"resource temporarily unavailable|already held by process",
        "another engine has this folder open",
        "Stop the other engine; one folder has one engine.",
    ),
    _known(
        "double_sign",
        r"found signature from the same key",
        "this validator's key has voted in the newest blocks: it may be in use elsewhere",
        "Make sure that the key is on one machine only; then start the node again.",
    ),
    _known(
        "application_ahead",
        r"app block height \(\d+\) is higher than core",
        "the ledger is ahead of the engine's blocks: the engine's folder is from an older backup",
        _JOIN_ANEW,
    ),
    _known(
        "engine_empty",
        r"node\.(logNodeStartupInfo|onlyValidatorIsUs)\(",
        "the ledger has blocks, but the engine has none: its data folder was removed",
        _JOIN_ANEW,
    ),
    _known(
        "application_behind",
        r"app block height \(\d+\) is too far below block store base",
        "the ledger is behind the oldest block that the engine still has",
        _JOIN_ANEW,
    ),
    _known(
        "release_differs",
        r"wrong Block\.Header\.Version",
        "the league runs another version of the application's protocol than this node",
        "Install the release that the league runs; then start the node again.",
    ),
    _known(
        "state_differs",
        r"wrong Block\.Header\.(AppHash|LastResultsHash)|AppHash does not match|"
        r"does not match app's AppHash|AppHash and .* differ|app block hash .* does not match",
        "this node's state is not the one that the league decided on",
        _JOIN_ANEW,
    ),
    _known(
        "genesis_differs",
        r"wrong Block\.Header\.(ChainID|ConsensusHash|(Next)?ValidatorsHash)|"
        r"validator set is nil in genesis|couldn't read GenesisDoc|"
        r"error reading GenesisDoc|genesis doc",
        "the engine's genesis is not usable, or of another chain",
        "Compare genesis.json with that of another member of the league.",
    ),
    _known(
        "data_damaged",
        r"leveldb.*corrupt|corrupted data|error while decoding|unexpected EOF.*(db|block)|"
        r"checksums do not match|DataCorruptionError",
        "the engine's stored blocks are damaged",
        _JOIN_ANEW,
    ),
    _known(
        "key_unreadable",
        r"Error reading PrivValidator|failed to load or gen node key|Error reading NodeKey",
        "the engine cannot read its keys",
        "Start the node again: it writes them anew from its own key files.",
    ),
    _known(
        "configuration",
        r"error in config file|While parsing config|couldn't parse|expected type|invalid .*laddr",
        "the engine does not take its settings",
        "See the last lines of engine.log, and what node.toml says.",
    ),
    _known(
        "state_sync",
        r"failed to start state sync|failed to set up light client|state sync failed|"
        r"no witnesses|light client",
        "the engine could not begin from a snapshot of the other nodes",
        "See that they are reachable; then run hansa join INVITE DIR again, which takes a newer "
        "header to trust, and start the node.",
    ),
    _known(
        "application_gone",
        r"Did the application crash\?|connection terminated\.|abci.*(EOF|broken pipe|"
        r"connection reset|connection refused)|error on abci|error in proxyAppConn|"
        r"client error during proxyAppConn",
        "the connection between the node and its engine broke",
        "See the node's own log for what came before; start it again.",
    ),
)


def explain_exit(status: int, log: bytes, *, asked: bool = False) -> EngineExit:
    """Words for the end of an engine that ended with `status` and whose log ends with `log`."""
    if asked:
        return EngineExit("stopped", "the engine was stopped", "", status)
    if status == -signal.SIGKILL and not HALTED.search(log):
        return EngineExit("killed", _KILLED, "Start the node again.", status)
    lines = log.decode("utf-8", "replace").splitlines()
    text = "\n".join(lines)
    for known in _KNOWN:
        found = known.pattern.search(text)
        if found:
            return EngineExit(known.code, known.text, known.cure, status)
    last = next((line.strip() for line in reversed(lines) if _speaks(line)), "")
    if last:
        words = f"the engine ended: {last[:_LINE_MAX]}"
        return EngineExit("unknown", words, "See the last lines of engine.log.", status)
    return EngineExit("unknown", _name_status(status), "Start the node again.", status)


def _speaks(line: str) -> bool:
    """Whether a line says something: not a stack trace."""
    return bool(line.strip()) and not _STACK.match(line)


def _name_status(status: int) -> str:
    if status < 0:
        return f"the engine was killed ({signal.Signals(-status).name})"
    return f"the engine ended with status {status} and no word"
