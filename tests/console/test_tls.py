"""The gateway serves with a given certificate: a secure context, cookies that never leave TLS."""

import datetime
import ipaddress
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser, expect
from websockets.sync.client import ClientConnection, connect

from tests.cli.processes import Shell
from tests.cli.test_service import EVENT

pytestmark = pytest.mark.slow


def write_certificate(folder: Path, *, days: int = 30) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hansa test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


class Secured:
    """A league whose gateway serves with a certificate of its own."""

    def __init__(self, url: str, shell: Shell, certificate: Path) -> None:
        self.url, self.shell = url, shell
        self.context = ssl.create_default_context(cafile=certificate)

    def client(self, token: str = "") -> httpx.Client:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, verify=self.context, headers=headers, timeout=60)

    def connect(self, path: str, token: str) -> ClientConnection:
        return connect(
            self.url.replace("https://", "wss://") + path,
            ssl=self.context,
            additional_headers={"authorization": f"Bearer {token}"},
            open_timeout=20,
        )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    shell = Shell(folder / "home", folder)
    shell.ask("init", "bay")
    certificate, key = write_certificate(folder)
    options = ("--certificate", str(certificate), "--private-key", str(key))
    with shell.started(folder / "bay", *options) as url:
        inside = Shell(folder / "home", folder / "bay")
        inside.environment["SSL_CERT_FILE"] = str(certificate)
        yield Secured(url, inside, certificate)


def test_api_and_console_speak_tls_on_one_port(secured: Secured, chromium: Browser) -> None:
    assert secured.url.startswith("https://127.0.0.1:")
    with secured.client() as client:
        assert client.get("/v1/status").status_code == 200
        answer = client.get("/sign-in")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hansa-visitor=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
    with chromium.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        page.goto(f"{secured.url}/sign-in")
        assert page.evaluate("window.isSecureContext && 'subtle' in crypto")
        page.set_input_files("#key-file", secured.shell.folder / "keys" / "buyer.key.json")
        page.click("#sign-in-button")
        page.wait_for_selector(".who")
        names = {each["name"]: each for each in context.cookies()}
        assert names["__Host-hansa-session"]["secure"]


def test_epcis_tells_by_wss_and_the_console_lives_over_https(
    secured: Secured, chromium: Browser
) -> None:
    """One certificate for all: an event enters by https, a websocket and a page tell of it."""
    secured.shell.ask("service", "make", "food-trace", "--as", "seller-a")
    token = secured.shell.ask("service", "client", "gate", "food-trace", "--may", "capture")[
        "token"
    ]
    query = "/food-trace/epcis/queries/storing"
    with secured.client(token) as client, chromium.new_context(ignore_https_errors=True) as browser:
        made = client.post(
            "/food-trace/epcis/queries",
            json={"name": "storing", "query": {"EQ_bizStep": ["storing"]}},
        )
        assert made.status_code == 201, made.text
        assert made.headers["location"].startswith(secured.url) or query in made.headers["location"]
        page = browser.new_page()
        page.goto(f"{secured.url}/explorer")
        expect(page.locator(".live[data-state=live]")).to_be_visible()
        with secured.connect(f"{query}/events?stream=true", token) as socket:
            sent = client.post("/food-trace/epcis/events", json=EVENT)
            assert sent.status_code == 201, sent.text
            told = json.loads(socket.recv(20))
        (event,) = told["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        assert event["bizStep"] == "storing"
        expect(page.locator("#blocks tbody tr.new").first).to_be_visible()
        page.goto(f"{secured.url}/food?find=01.09521000000013.21.1")
        assert page.evaluate("window.isSecureContext")
        expect(page.locator("h1")).to_be_visible()


def test_who_does_not_know_the_certificate_is_not_spoken_to(secured: Secured) -> None:
    with pytest.raises(httpx.ConnectError), httpx.Client(verify=True) as client:
        client.get(f"{secured.url}/v1/status")
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(secured.url.replace("https://", "wss://") + "/food-trace/epcis/events")
    plain = secured.url.replace("https://", "http://")
    with pytest.raises(httpx.TransportError), httpx.Client() as client:
        client.get(f"{plain}/v1/status")


@pytest.mark.parametrize("fault", ["missing", "no certificate", "another key", "one alone"])
def test_a_certificate_that_cannot_serve_is_refused_before_anything_starts(
    tmp_path: Path, fault: str
) -> None:
    shell = Shell(tmp_path / "home", tmp_path)
    certificate, key = write_certificate(tmp_path)
    options = ["--certificate", certificate, "--private-key", key]
    if fault == "missing":
        certificate.unlink()
    elif fault == "no certificate":
        certificate.write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    elif fault == "another key":
        other = tmp_path / "other"
        other.mkdir()
        options[3] = write_certificate(other)[1]
    else:
        options = options[:2]
    done = shell.run("start", "bay", *options)
    assert done.exit == 2
    assert "certificate" in done.err
