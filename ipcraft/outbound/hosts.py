"""Hosts: one reading of whatever spelling, the one that browsers have.

https://url.spec.whatwg.org/#host-parsing says how many ways there are to write an address. All of
them are read, so that each gets the verdict of the address it means; what is no name and no
address is refused. Percent-encoding and zones have no place in a host of ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from ipcraft.outbound.failures import Refused
from ipcraft.outbound.special_purpose import Address, plain

_LONGEST = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_IPV6 = re.compile(r"[0-9a-fA-F:.]+")
_LOOPBACK = IPv4Address("127.0.0.1")
_PARTS = 4
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Host:
    """Hold a host: in ASCII and lower case, without a dot at its end."""

    name: str
    address: Address | None = None
    """The address that it is, if nobody has to be asked for it."""
    absolute: bool = False
    """Whether a dot at the end said that the name is complete."""

    def __str__(self) -> str:
        """Give it as URLs and the header Host have it: an IPv6 address in brackets."""
        return f"[{self.name}]" if ":" in self.name else self.name


def read_host(text: str) -> Host:
    """Read a name or an address in any spelling. Raises `Refused` for what is neither.

    >>> str(read_host("0x7f.1")), str(read_host("①②⑦。⓪.0.1"))
    ('127.0.0.1', '127.0.0.1')
    >>> str(read_host("Bücher.example."))
    'xn--bcher-kva.example'
    """
    if ":" in text:
        return _of(_ipv6(text))
    name = _in_ascii(text)
    labels = name.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _of(_ipv4(labels, text))
    if not all(_LABEL.fullmatch(label) for label in labels) or len(name) > _LONGEST:
        raise _refusal(text, "is neither a host name nor an address")
    # RFC 6761, 6.3: these are this machine, and nobody is asked for them.
    local = labels[-1] == "localhost"
    return Host(".".join(labels), address=_LOOPBACK if local else None, absolute=name.endswith("."))


def _of(address: Address) -> Host:
    address = plain(address)
    return Host(str(address), address=address)


def _in_ascii(text: str) -> str:
    """Give a name as the DNS has it (UTS 46); full-width and circled digits become digits."""
    if text.isascii():
        return text.lower()
    # Heavy, and needed for few names.
    import idna

    if len(text) > _LONGEST:
        raise _refusal(text, "is too long")
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except ValueError as error:
        raise _refusal(text, "is no internationalized name") from error


def _ipv6(text: str) -> IPv6Address:
    if not _IPV6.fullmatch(text):
        raise _refusal(text, "is no IPv6 address")
    try:
        return IPv6Address(text)
    except ValueError as error:
        raise _refusal(text, "is no IPv6 address") from error


def _ipv4(labels: list[str], text: str) -> IPv4Address:
    """Read one to four numbers, each decimal, octal or hexadecimal; the last one fills the rest."""
    try:
        *leading, last = [_number(label) for label in labels]
    except ValueError as error:
        raise _refusal(text, "is no IPv4 address") from error
    rest = _PARTS - len(leading)
    if rest < 1 or any(number > 255 for number in leading) or last >= 256**rest:
        raise _refusal(text, "is no IPv4 address")
    first = sum(number << 24 - 8 * place for place, number in enumerate(leading))
    return IPv4Address(first + last)


def _number(text: str) -> int:
    """Read ``127``, ``0177`` or ``0x7f``; ``0x`` is 0. Raises ValueError for anything else."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number")
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") else 10)


def _refusal(text: str, why: str) -> Refused:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return Refused(f"the host {shown!r} {why}")
