"""`hansa start DIR`: ledger, read model, API and console of one node in one process, until Ctrl-C.

Touches the node's home and one port, on loopback unless told otherwise. A league of several nodes
is `supervisor.py`, which runs this command for each.
"""

import ipaddress
import json
import os
import shlex
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hansa.cli.answers import YES, hint, json_option
from hansa.cli.lifeline import follow_parent
from hansa.cli.logfile import LOG, open_log
from hansa.cli.neighbourhood import Neighbourhood
from hansa.cli.network import find_league_of, is_network
from hansa.cli.signals import stoppable
from hansa.client.faults import ClientError
from hansa.node.running import NODES, RUNNING

if TYPE_CHECKING:  # loaded when the league starts
    from hansa.index.follower import Follower
    from hansa.index.store import Index
    from hansa.ledger.contracts import Registry
    from hansa.node.home import Home

INDEX: Final = "index.sqlite"
VAULTS: Final = "HANSA_VAULTS"


class StartError(ClientError):
    """The league cannot be started as asked."""

    CODE = "cli.start"


class LeagueFailed(ClientError):
    """The ledger stopped by itself: whoever watches over this process starts it again."""

    CODE = "node.stopped"


def find_vaults(home: Path) -> Path:
    """The members' vaults from which the gateway of a node hands out: the folder HANSA_VAULTS, else
    that of the league in whose folder the node lies.
    """
    given = os.environ.get(VAULTS)
    league = find_league_of(home)
    return Path(given) if given else (league[0] if league else home) / "vault"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--host", help="Where to listen (default: node.toml, 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--name", "names", multiple=True, metavar="HOST", help="A name it also answers to.")
@click.option("--certificate", type=click.Path(path_type=Path), help="TLS certificate (PEM).")
@click.option("--private-key", type=click.Path(path_type=Path), help="Its private key (PEM).")
@click.option(
    "--index",
    "index_url",
    envvar="HANSA_INDEX",
    metavar="URL",
    help="Database of the read model (default: DIR/index.sqlite; or postgresql+pg8000://…).",
)
@click.option("--log", type=click.Path(path_type=Path), help="Log file (default: DIR/node.log).")
@click.option("--only", metavar="N,N", help="Of a league of several nodes, these.")
@json_option
def command(
    folder: Path,
    host: str | None,
    port: int | None,
    names: tuple[str, ...],
    certificate: Path | None,
    private_key: Path | None,
    index_url: str | None,
    log: Path | None,
    only: str | None,
    as_json: bool,
) -> int:
    """Run the league of DIR: ledger, API and console in one process, at one address.

    Prints the address when it is ready, and runs until Ctrl-C. Whatever stopped it last time, it
    recovers by itself. Listens on this machine only unless --host says otherwise.
    When the disk is full or damaged it says so and ends with exit code 2.

    A league of several nodes (hansa init --engine comet) runs all that are in DIR/nodes, each as
    its node.toml says, and begins again what ends; DIR/nodes/2 runs that one alone.

    \b
    Examples:
      hansa start bay
      hansa start bay --port 0 --json
      hansa start bay --only 1,3
      hansa start bay/nodes/2
    """
    from hansa.api.server import Address
    from hansa.cli.tls import check_certificate

    check_certificate(certificate, private_key)
    if is_network(folder):
        own = (host, port, names or None, certificate, index_url, log)
        return start_network(folder, only, own, as_json=as_json)
    if only is not None:
        raise click.UsageError("--only is for a league of several nodes")
    with open_log(folder, log), stoppable():
        follow_parent()
        league = open_league(folder, index_url, names)
        try:
            settings = league.home.settings.api
            address = Address(
                host=host or settings.host,
                port=settings.port if port is None else port,
                certificate=None if certificate is None else str(certificate),
                private_key=None if private_key is None else str(private_key),
            )
            warn_of_plain(address.host, is_encrypted=certificate is not None)
            league.serve(address, as_json=as_json)
        finally:
            league.close()
        league.check(folder)
    hint("stopped; start it again at any time")
    return YES


def open_league(folder: Path, index_url: str | None, names: tuple[str, ...]) -> "_League":
    """Open a node with all that serves it; why it could not start is in its log too."""
    import structlog

    from hansa.comet.faults import CometError
    from hansa.node.faults import LockedFolderError, NodeError

    try:
        return _League(folder, index_url, names)
    except LockedFolderError:
        raise  # the log is that of the node that runs
    except (NodeError, CometError) as error:
        log = structlog.get_logger("hansa.node")
        log.error("start_failed", reason=error.text, cure=error.cure)
        raise


def start_network(folder: Path, only: str | None, own: tuple[object, ...], *, as_json: bool) -> int:
    """Run the nodes of a league until Ctrl-C. `own`: options that only one node can have."""
    from hansa.cli.supervisor import supervise

    if any(value is not None for value in own):
        raise click.UsageError(
            "a league of several nodes takes --only and --json; what else a node is told is in its "
            f"node.toml, or start it alone: hansa start {shlex.quote(str(folder / NODES))}/1"
        )
    with stoppable():
        supervise(folder, only, as_json=as_json)
    hint("stopped; start it again at any time")
    return YES


def warn_of_plain(host: str, *, is_encrypted: bool) -> None:
    """Say that others on the way read and change what is sent, when it leaves this machine."""
    if not is_encrypted and not is_loopback(host):
        hint(
            f"warning: {host} without TLS: sessions and answers can be read on the way. "
            "Give --certificate and --private-key, or put a reverse proxy with TLS in front"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class _League:
    """A node, its read model and its gateway, opened in that order and closed in the other."""

    def __init__(self, folder: Path, index_url: str | None, names: tuple[str, ...]) -> None:
        from hansa.api.application import make_app
        from hansa.api.guard import LOOPBACK
        from hansa.catalog import build_registry, compute_code_digest
        from hansa.console.application import make_console
        from hansa.node.ledger_node import LedgerNode

        registry = build_registry()
        self.neighbourhood = Neighbourhood(folder)
        self.node = LedgerNode.open(folder, registry, compute_digest=compute_code_digest)
        self.home = self.node.home
        self.neighbourhood.open(self.node)
        try:
            self.index, self.follower = self._open_index(index_url, registry)
        except BaseException:
            self.node.close()
            raise
        self.app = make_app(
            self.node,
            self.index,
            follower=self.follower,
            genesis_digest=self.home.genesis_digest.hex(),
            hosts=(*LOOPBACK, *names),
            book=self.neighbourhood.book,
            home=self.home.folder,
            deliver_to=self.home.settings.api.deliver_to,
            fetch_from=self.home.settings.api.fetch_from,
            vaults=find_vaults(self.home.folder),
            public=self.home.settings.api.public,
            face=make_console,
        )
        if self.follower is not None:
            self.follower.start()

    def _open_index(self, url: str | None, registry: "Registry") -> "tuple[Index, Follower | None]":
        """The read model and who fills it; none when the settings say that there is none."""
        from hansa.catalog import load_applications
        from hansa.index.absent import AbsentIndex
        from hansa.index.follower import Follower
        from hansa.index.shape import Shape
        from hansa.ledger.genesis import compute_genesis_changes
        from hansa.node.faults import NodeError

        node, genesis = self.node, self.node.genesis
        if not self.home.settings.index.follow:
            absent = AbsentIndex(Shape(load_applications()), node.chain, node.height)
            node.subscribe(absent.skip_to)
            return absent, None
        index = open_index(self.home, url, node.height)
        changes = partial(compute_genesis_changes, genesis, registry)
        follower = Follower(index, node, changes, broken=(NodeError,))
        node.pace_by(follower.wait_near)
        return index, follower

    def serve(self, address: object, *, as_json: bool) -> None:
        """Serve until a signal. Raises StartError when the address cannot be had."""
        from hansa.api.server import Address, serve
        from hansa.node.garbage import settle_garbage

        if not isinstance(address, Address):
            raise TypeError("an address of hansa.api.server")
        running = self.home.folder / RUNNING

        def tell(url: str) -> None:
            document = {
                "url": url,
                "chain": self.node.chain,
                "pid": os.getpid(),
                **self.neighbourhood.describe(),
            }
            write_running(running, document)
            self.neighbourhood.start(url)
            settle_garbage()
            line = json.dumps(document) if as_json else _format_ready(document, self.home.folder)
            click.echo(line)
            sys.stdout.flush()

        try:
            serve(self.app, address, on_ready=tell)
        except OSError as error:
            raise StartError(
                f"{address.host}:{address.port} cannot be had: {error.strerror}",
                "stop what listens there, or choose another: --port 0 takes any free one",
            ) from error
        except KeyboardInterrupt:
            pass  # asked to stop: that is how this command ends
        finally:
            running.unlink(missing_ok=True)

    def check(self, folder: Path) -> None:
        """Raise LeagueFailed when the ledger stopped by itself."""
        from hansa.node.faults import NodeError

        failure = self.node.failure
        if isinstance(failure, NodeError):
            raise LeagueFailed(f"the league has stopped: {failure.text}", failure.cure)
        if failure is not None:
            raise LeagueFailed(
                f"the league has stopped: something unforeseen ({type(failure).__name__})",
                f"see the last lines of its log, and: hansa doctor {folder} --deep",
            )

    def close(self) -> None:
        """Let every part finish what it has in hand."""
        self.neighbourhood.stop()
        if self.follower is not None:
            self.follower.stop()
        self.index.close()
        self.node.close()


def locate_index(home: "Home", url: str | None = None) -> str:
    """Address of a home's read model: its SQLite file unless another is given."""
    return url or os.environ.get("HANSA_INDEX") or f"sqlite:///{home.folder / INDEX}"


def open_index(home: "Home", url: str | None, height: int) -> "Index":
    """The read model of a home whose ledger is at `height`.

    Made anew when its file is damaged, or when it has seen blocks that the ledger does not have.
    """
    import structlog

    from hansa.catalog import load_applications
    from hansa.index.renewal import open_or_renew
    from hansa.index.shape import Shape

    shape = Shape(load_applications())
    index, renewed = open_or_renew(locate_index(home, url), shape, home.genesis.chain)
    if index.height > height:
        index.clear()
        renewed = True
    if renewed:
        structlog.get_logger("hansa.index").warning("index_made_anew", height=height)
    return index


def write_running(path: Path, document: dict[str, object]) -> None:
    """Say where the league answers, for commands in its folder. Raises StartError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise StartError(
            f"{path} cannot be written: {error.strerror}",
            "see that the disk has space and lets this user write; then start again",
        ) from error


def _format_ready(document: dict[str, object], folder: Path) -> str:
    return (
        f"{document['chain']} is ready at {document['url']}\n"
        f"  console: open {document['url']}/ in a browser\n"
        f"  log: {folder / LOG}   stop: Ctrl-C   in another terminal: cd {shlex.quote(str(folder))}"
    )
