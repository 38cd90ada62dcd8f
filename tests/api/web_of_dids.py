"""A web server on the loopback interface that gives DID documents over TLS, under a name."""

import datetime
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hansa.testing.chain import make_key

HOST = "files.example"


class Web:
    """Where it listens, whom its certificate names, and what it was asked for."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        self.port, self.tls = port, tls
        self.did = f"did:web:{HOST}%3A{port}"
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}

    def put_document(self, did: str, place: str, **change: Any) -> None:
        """A document with one key at /place/did.json."""
        document = {
            "id": did,
            "verificationMethod": [
                {
                    "id": f"{did}#k1",
                    "type": "JsonWebKey2020",
                    "controller": did,
                    "publicKeyJwk": make_key("web").public.jwk(),
                }
            ],
            "assertionMethod": [f"{did}#k1"],
        }
        body = json.dumps({**document, **change}).encode()
        self.answers[f"/{place}/did.json"] = (200, {}, body)


def build_tls(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for HOST, and that of a client who trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "web.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cafile=str(pem))
    return server, client


@contextmanager
def serve_web(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The server, and HOST meaning this machine."""
    tls, trusting = build_tls(folder)
    box: list[Web] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web = box[0]
            web.asked.append(self.path)
            status, headers, body = web.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients that turn away are what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    web = Web(server.server_address[1], trusting)
    box.append(web)
    lookup = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **more: Any) -> Any:
        return lookup("127.0.0.1" if host == HOST else host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
