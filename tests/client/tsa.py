"""A small time-stamping authority (RFC 3161) of asn1crypto and `cryptography`, for tests.

Every part of a token can be made wrong: time, digest, nonce, purpose, status, signature.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

YEAR = timedelta(days=365)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def make_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """A root and a signer's certificate under it, valid for the year around NOW."""

    def __init__(
        self,
        name: str = "Bay TSA",
        *,
        purposes: tuple[ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
        critical: bool = True,
    ) -> None:
        root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = self._certify(f"{name} root", root_key, root_key, f"{name} root", ca=True)
        self.certificate = self._certify(
            name, self.key, root_key, f"{name} root", purposes=purposes, critical=critical
        )

    def _certify(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer_key: ec.EllipticCurvePrivateKey,
        issuer: str,
        *,
        ca: bool = False,
        purposes: tuple[ObjectIdentifier, ...] = (),
        critical: bool = True,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(make_name(name))
            .issuer_name(make_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - YEAR)
            .not_valid_after(NOW + YEAR)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
        return builder.sign(issuer_key, hashes.SHA256())

    def stamp(
        self,
        value: bytes,
        *,
        nonce: int | None = None,
        time: datetime = NOW,
        status: str = "granted",
        algorithm: str = "sha256",
        spoil: bool = False,
        bare: bool = False,
    ) -> bytes:
        """A response (or its bare token) over `value`."""
        digest = sha256(value).digest()
        info: dict[str, Any] = {
            "version": 1,
            "policy": "1.3.6.1.4.1.99999.1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": algorithm},
                "hashed_message": digest,
            },
            "serial_number": 42,
            "gen_time": time,
        }
        if nonce is not None:
            info["nonce"] = nonce
        content = tsp.TSTInfo(info).dump()
        token = self._sign(content, spoil=spoil)
        if bare:
            return bytes(token.dump())
        response = {"status": {"status": status}, "time_stamp_token": token}
        return bytes(tsp.TimeStampResp(response).dump())

    def _sign(self, content: bytes, *, spoil: bool) -> cms.ContentInfo:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        own = asn1_x509.Certificate.load(der)
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [sha256(content).digest()]}),
                cms.CMSAttribute(
                    {
                        "type": "signing_certificate_v2",
                        "values": [
                            tsp.SigningCertificateV2(
                                {"certs": [{"cert_hash": sha256(der).digest()}]}
                            )
                        ],
                    }
                ),
            ]
        )
        signed = attributes.dump() if not spoil else attributes.dump() + b"\x00"
        signer = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    {
                        "issuer_and_serial_number": {
                            "issuer": own.issuer,
                            "serial_number": own.serial_number,
                        }
                    }
                ),
                "digest_algorithm": {"algorithm": "sha256"},
                "signed_attrs": attributes,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
            }
        )
        return cms.ContentInfo(
            {
                "content_type": "signed_data",
                "content": cms.SignedData(
                    {
                        "version": "v3",
                        "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
                        "encap_content_info": {
                            "content_type": "tst_info",
                            "content": core.ParsableOctetString(content),
                        },
                        "certificates": [own],
                        "signer_infos": [signer],
                    }
                ),
            }
        )
