"""The engine's configuration: taken over from a node of the league, compared between networks.

Pure: works on the text of config.toml.
"""

import json
import tomllib
from collections.abc import Iterator
from typing import Any, Final

# What must differ from node to node: names and addresses, nothing that makes one faster.
OWN: Final = frozenset(
    {
        "proxy_app",
        "moniker",
        "rpc.laddr",
        "p2p.laddr",
        "p2p.external_address",
        "p2p.persistent_peers",
    }
)


def flatten_config(text: str) -> dict[str, Any]:
    """`section.key` to value."""
    return dict(_walk("", tomllib.loads(text)))


def _walk(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _walk(f"{prefix}{key}.", value)
        else:
            yield prefix + key, value


def adapt_config(tuning: str, own: str) -> str:
    """The configuration `tuning` under the names and addresses of `own`."""
    found = flatten_config(tuning)
    mine = flatten_config(own)
    found |= {key: mine[key] for key in OWN if key in mine}
    return encode_flat(found)


def encode_flat(values: dict[str, Any]) -> str:
    """TOML of `section.key` to value; texts, integers and booleans are as in JSON."""
    sections: dict[str, list[str]] = {"": []}
    for key, value in values.items():
        section, _dot, name = key.rpartition(".")
        sections.setdefault(section, []).append(f"{name} = {json.dumps(value)}\n")
    return "".join(
        (f"[{section}]\n" if section else "") + "".join(lines)
        for section, lines in sections.items()
    )


def list_differences(texts: dict[str, str]) -> list[str]:
    """Settings that are not the same in all of these configurations, apart from OWN."""
    found = {name: flatten_config(text) for name, text in texts.items()}
    keys = sorted({key for values in found.values() for key in values} - OWN)
    differences = []
    for key in keys:
        values = {name: each.get(key) for name, each in found.items()}
        if len({json.dumps(value) for value in values.values()}) > 1:
            differences.append(
                f"{key}: " + ", ".join(f"{name} {value!r}" for name, value in values.items())
            )
    return differences
