"""What can go wrong with a node's folder and life: faults, each with its cure. Pure.

A fault is never the sender's doing (that is a Rejection) and never a bug (InvariantViolation).
"""

from pathlib import Path


class NodeError(Exception):
    """A fault of the environment. `text` says what is wrong, `cure` what to do next."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.text = text
        self.cure = cure

    def diagnostics(self) -> str:
        """Both sentences, for a person."""
        return f"{self.text}\nWhat to do: {self.cure}"


class MissingFolderError(NodeError):
    """There is no home, or no data in it."""


class HalfMadeFolderError(NodeError):
    """A folder whose making was cut off, or that somebody thinned out."""


class ForeignFolderError(NodeError):
    """The folder belongs to another chain or another genesis, or holds other people's files."""


class NewerFormatError(NodeError):
    """The folder was written by a later release."""


class OlderFormatError(NodeError):
    """The folder was written by an earlier release that this one cannot go on from."""


class CorruptFolderError(NodeError):
    """What is stored is not what was written."""


class ConfigurationError(NodeError):
    """A file that people edit says something that cannot be."""


class StorageError(NodeError):
    """Reading or writing failed: disk full, disk broken, folder taken away."""


class NodeStoppedError(NodeError):
    """The node does not take or answer anything any more."""


class LockedFolderError(NodeError):
    """Another process has the folder. `pid` is its process id, 0 when unknown."""

    def __init__(self, folder: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{who} is already running a node on {folder}",
            f"Use that node, or stop it first (kill {pid or 'its pid'}); one folder has one node.",
        )
        self.pid = pid


class PoolFull(NodeError):
    """Back-pressure: too much is waiting. Nothing was taken; send again after `retry_after_s`."""

    def __init__(self, retry_after_s: int, what: str) -> None:
        super().__init__(
            f"the node has as much waiting as it may ({what})",
            f"Send the same bytes again in {retry_after_s} s; they keep their id.",
        )
        self.retry_after_s = retry_after_s


class CatchingUpError(PoolFull):
    """The node is behind the others: what its old state refuses may be right. Nothing was taken."""

    def __init__(self, height: int) -> None:
        NodeError.__init__(
            self,
            f"the node is catching up with the others (block {height}) and cannot judge this yet",
            "Send the same bytes again in a while, or to another node of the league.",
        )
        self.retry_after_s = 5


class EngineError(NodeError):
    """The consensus engine beside the node is missing, damaged, or does not run."""


class OldReleaseError(NodeError):
    """A block needs a contract that this release does not have."""


class ForeignChainError(NodeError):
    """The engine beside the node runs another chain, or another part of this one."""


class KeyInUseError(NodeError):
    """Another running node has this node's key, or votes with its validator's key."""

    def __init__(self, gateway: str) -> None:
        super().__init__(
            f"the node at {gateway} runs with the same key",
            "Two nodes with one key accuse each other of voting twice. Stop that one first, or give"
            " this home keys of its own (hansa join makes them).",
        )
