"""`node.toml`: what an operator may set. Unknown names and impossible values are refused. Pure."""

import tomllib
from typing import Annotated, Literal

import msgspec

from hansa.node.faults import ConfigurationError

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class ApiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the gateway listens. `port` 0: any free one."""

    host: str = "127.0.0.1"
    port: Port = 8480


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How blocks are made. `heartbeat_s`: longest time without a block, 1 to 60 s."""

    kind: Literal["embedded"] = "embedded"
    heartbeat_s: Annotated[int, msgspec.Meta(ge=1, le=60)] = 60


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    api: ApiSettings = ApiSettings()
    engine: EngineSettings = EngineSettings()


def decode_settings(text: str) -> Settings:
    """Parse `node.toml`. Raises ConfigurationError."""
    try:
        return msgspec.convert(tomllib.loads(text), Settings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"node.toml: {error}",
            "Mend that line, or delete the file's content: every setting has a default.",
        ) from error


def encode_settings(settings: Settings) -> str:
    """The file, with a comment for each setting."""
    api, engine = settings.api, settings.engine
    return f"""\
# Settings of this node. Delete a line to get its default.

[api]
# 127.0.0.1: this machine only. Put a TLS proxy in front before naming another address.
host = "{api.host}"
# 0: any free port.
port = {api.port}

[engine]
# embedded: one process, one validator.
kind = "{engine.kind}"
# Longest time without a block, in seconds, 1 to 60.
heartbeat_s = {engine.heartbeat_s}
"""
