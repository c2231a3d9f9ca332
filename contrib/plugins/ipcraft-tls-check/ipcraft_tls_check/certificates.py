"""Certificates, as people want to read them."""

from __future__ import annotations

from hashlib import sha256
from typing import TypedDict

from cryptography import x509

from ipcraft.plugin import Unreachable, rfc3339

_MOST_NAMES = 100
_LONGEST = 500
_DAY = 86_400
_UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


class Certificate(TypedDict):
    """What a certificate says: whose it is, for which hosts, and from when until when.

    `days_left` are whole days; negative ones have passed since the end.
    """

    subject: str
    issuer: str
    names: list[str]
    not_before: str
    not_after: str
    days_left: int
    serial_number: str
    fingerprint: str


def read_certificate(der: bytes, *, now: float) -> Certificate:
    """Read a certificate in DER. Raises `Unreachable` for one that cannot be read."""
    try:
        read = x509.load_der_x509_certificate(der)
        end = int(read.not_valid_after_utc.timestamp())
        return Certificate(
            subject=read.subject.rfc4514_string()[:_LONGEST],
            issuer=read.issuer.rfc4514_string()[:_LONGEST],
            names=_names(read)[:_MOST_NAMES],
            not_before=rfc3339(int(read.not_valid_before_utc.timestamp())),
            not_after=rfc3339(end),
            days_left=int((end - now) // _DAY),
            serial_number=f"{read.serial_number:x}",
            fingerprint=sha256(der).hexdigest(),
        )
    except _UNREADABLE as error:
        raise Unreachable("the server's certificate cannot be read") from error


def _names(read: x509.Certificate) -> list[str]:
    """Give the hosts that the certificate is for: names and addresses."""
    try:
        extension = read.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    hosts = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return [each[:_LONGEST] for each in (*hosts, *map(str, addresses))]
