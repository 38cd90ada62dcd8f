"""What can go wrong with the consensus engine beside us: faults, each with its cure. Pure."""


class CometError(Exception):
    """A fault of the engine or its surroundings. `text` says what is wrong, `cure` what to do."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.text = text
        self.cure = cure


class EngineDamaged(CometError):
    """The installed engine is not the one that was built."""


class UnknownEngine(CometError):
    """A version that this release does not know."""


class ToolchainMissing(CometError):
    """There is no Go that can build the engine, and none could be brought."""


class DownloadFailed(CometError):
    """The module proxy or the package index did not give what was asked."""


class WrongSum(CometError):
    """What was fetched is not what this release was written against."""


class BuildFailed(CometError):
    """Go could not build the engine."""


class CacheFault(CometError):
    """The user's cache cannot be written: rights, space, or a broken disk."""


class EngineHomeError(CometError):
    """The engine's folder is of another chain, damaged, or cannot be written."""


class SocketFolderError(CometError):
    """There is no safe place for the sockets between the node and its engine."""


class EngineStartError(CometError):
    """The engine's process could not be started."""
