"""The certificate that a gateway serves with, checked before anything starts. Reads two files."""

import ssl
from pathlib import Path
from typing import Final

import click

from hansa.cli.answers import hint
from hansa.client.faults import ClientError
from hansa.client.files import read_file

_BYTES_MAX: Final = 1_048_576
_CURE: Final = (
    "give a certificate with its chain and its own private key, both PEM and without a passphrase"
)


class CertificateError(ClientError):
    """Certificate or private key cannot be used."""

    CODE = "cli.certificate"


def check_certificate(certificate: Path | None, private_key: Path | None) -> None:
    """Raise CertificateError unless both can be used together; neither given is right too.

    Says when the certificate is not valid today: browsers will refuse it, and so does the camera.
    """
    if (certificate is None) != (private_key is None):
        raise click.UsageError("--certificate and --private-key belong together")
    if certificate is None or private_key is None:
        return
    data = read_file(certificate, _BYTES_MAX)
    read_file(private_key, _BYTES_MAX)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A passphrase would be asked for on the terminal of a service.
        context.load_cert_chain(certificate, private_key, password=_refuse_passphrase)
    except (ssl.SSLError, ValueError, OSError) as error:
        raise CertificateError(
            f"{certificate} and {private_key} do not make a certificate with its key", _CURE
        ) from error
    _warn_of_dates(certificate, data)


def _refuse_passphrase() -> str:
    return ""


def _warn_of_dates(path: Path, data: bytes) -> None:
    import datetime

    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(data)
    except ValueError:
        return  # OpenSSL took it; what it is valid for is between it and the browser
    now = datetime.datetime.now(datetime.UTC)
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        hint(
            f"warning: {path} is valid from {found.not_valid_before_utc:%Y-%m-%d} to "
            f"{found.not_valid_after_utc:%Y-%m-%d}, not today: browsers will refuse it"
        )
