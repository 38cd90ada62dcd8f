"""The gateway serves with a given certificate: a secure context, cookies that never leave TLS."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import Browser

from tests.cli.processes import Shell

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


def test_api_and_console_speak_tls_on_one_port(tmp_path: Path, chromium: Browser) -> None:
    shell = Shell(tmp_path / "home", tmp_path)
    shell.ask("init", "bay")
    certificate, key = write_certificate(tmp_path)
    options = ("--certificate", str(certificate), "--private-key", str(key))
    with shell.started(tmp_path / "bay", *options) as url:
        assert url.startswith("https://127.0.0.1:")
        with httpx.Client(
            base_url=url, verify=ssl.create_default_context(cafile=certificate)
        ) as client:
            assert client.get("/v1/status").status_code == 200
            answer = client.get("/sign-in")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-hansa-visitor=")
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
        with chromium.new_context(ignore_https_errors=True) as context:
            page = context.new_page()
            page.goto(f"{url}/sign-in")
            assert page.evaluate("window.isSecureContext && 'subtle' in crypto")
            page.set_input_files("#key-file", tmp_path / "bay" / "keys" / "buyer.key.json")
            page.click("#sign-in-button")
            page.wait_for_selector(".who")
            names = {each["name"]: each for each in context.cookies()}
            assert names["__Host-hansa-session"]["secure"]


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
