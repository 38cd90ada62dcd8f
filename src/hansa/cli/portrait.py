"""What is in a league's folder, for people and for machines: members, keys, nodes. Reads only."""

from pathlib import Path
from typing import Any

from hansa.cli.network import GENESIS, list_nodes
from hansa.cli.place import KEYS
from hansa.client.faults import ClientError
from hansa.client.files import read_file
from hansa.client.keys import KeyRing


def describe_league(folder: Path) -> dict[str, Any]:
    """Chain, genesis, members by the names of their keys, and in a network the nodes."""
    from hansa.crypto.hashing import sha256
    from hansa.ledger.genesis import GENESIS_BYTES_MAX, decode_genesis

    data = read_file(folder / GENESIS, GENESIS_BYTES_MAX)
    genesis = decode_genesis(data)
    ring = KeyRing(folder / KEYS)
    titles = {each["did"]: each for each in genesis.contracts.get("members", {}).get("members", ())}
    members = []
    for name in ring.names():
        account = ring.read(name).account
        title = titles.get(account, {})
        members.append(
            {
                "name": name,
                "did": account,
                "title": title.get("name", ""),
                "jurisdiction": title.get("jurisdiction", ""),
                "identifiers": [
                    f"{each['scheme']}:{each['value']}" for each in title.get("identifiers", ())
                ],
            }
        )
    document = {
        "folder": str(folder),
        "chain": genesis.chain,
        "genesis": sha256(data).hex(),
        "members": members,
    }
    nodes = describe_nodes(folder, {each["did"]: each["name"] for each in members})
    return document | ({"nodes": nodes} if nodes else {})


def name_members(folder: Path) -> dict[str, str]:
    """DID of each account whose key is in a league's folder, to the key's name."""
    ring = KeyRing(folder / KEYS)
    found = {}
    for name in ring.names():
        try:
            found[ring.read(name).account] = name
        except ClientError:
            continue  # a damaged key hides no other; hansa doctor names it
    return found


def describe_nodes(folder: Path, names: dict[str, str]) -> list[dict[str, Any]]:
    """The nodes of a league: number, member, kind, p2p id, ports. Damaged homes are skipped.

    `names`: DID of a member to the name of its key here.
    """
    from hansa.node.faults import NodeError

    found = []
    for node in list_nodes(folder):
        try:
            found.append({"number": node.number, **describe_home(node.folder, names)})
        except NodeError:
            continue
    return found


def describe_home(folder: Path, names: dict[str, str]) -> dict[str, Any]:
    """One node: whose it is by the genesis ("" when it came later), and its ports (0: any)."""
    from hansa.comet.files import compute_node_id
    from hansa.node.home import open_home

    home = open_home(folder)
    identity = compute_node_id(home.node_key().public.raw)
    part = home.genesis.contracts.get("validators", {}).get("nodes", ())
    own: dict[str, Any] = next((each for each in part if each["id"] == identity), {})
    return {
        "member": names.get(own.get("member", ""), own.get("member", "")),
        "kind": own.get("kind", ""),
        "node": identity,
        "folder": str(folder),
        "api_port": home.settings.api.port,
        "p2p_port": home.settings.p2p.port,
    }


def format_league(document: dict[str, Any]) -> str:
    """A league's description for people."""
    state = "made" if document["new"] else "is here already; nothing was changed"
    lines = [f"{document['folder']}: league {document['chain']} {state}"]
    for member in document["members"]:
        numbers = " ".join(member["identifiers"])
        lines.append(
            f"  {member['name']:<12} {member['jurisdiction']}  {member['title']}  {numbers}"
        )
    for node in document.get("nodes", ()):
        ports = f"gateway {node['api_port'] or 'any'}, p2p {node['p2p_port'] or 'any'}"
        lines.append(f"  node {node['number']:<3} {node['kind']:<9} {node['member']:<12} {ports}")
    return "\n".join(lines)
