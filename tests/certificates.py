"""Certificates for servers and clients of tests: made when they are needed, kept by nobody."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """Files in PEM format.

    Attributes:
        certificate: of its owner.
        key: of its owner, with the password if one was given.
        both: the key, readable, and the certificate.
    """

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates; whoever trusts `file` trusts them.

    Args:
        folder: where everything goes.
        name: its own, and part of the file names.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        own = self._builder(name, self._key.public_key(), 2 * DAY)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        uses = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        own = own.add_extension(uses, critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def _builder(
        self, name: str, key: ec.EllipticCurvePublicKey, left: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        signer = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder(_called(self._name), _called(name), key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + left)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer),
                critical=False,
            )
        )

    def issue(
        self,
        name: str,
        left: datetime.timedelta = DAY,
        password: str = "",
        host: str = "127.0.0.1",
    ) -> Issued:
        """A certificate for ``name``; good for ``left``, which may be over, at the address."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address(host))]
        builder = self._builder(name, key.public_key(), left).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        certificate = _pem(builder.sign(self._key, hashes.SHA256()))
        locked = serialization.BestAvailableEncryption(password.encode()) if password else None
        made = Issued(*(self._folder / f"{name}.{kind}.pem" for kind in ("crt", "key", "both")))
        made.certificate.write_bytes(certificate)
        made.key.write_bytes(_key_pem(key, locked))
        made.both.write_bytes(_key_pem(key, None) + certificate)
        return made


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(
    key: ec.EllipticCurvePrivateKey, locked: serialization.KeySerializationEncryption | None
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        locked or serialization.NoEncryption(),
    )
