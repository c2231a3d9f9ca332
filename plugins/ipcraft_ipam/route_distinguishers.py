"""Route distinguishers: what tells the routes of one VRF from those of another (RFC 4364, 4.2)."""

from __future__ import annotations

import ipaddress
import re

from ipcraft.plugin import Invalid

_ADMINISTRATOR = r"[0-9]{1,10}|[0-9]{1,5}\.[0-9]{1,5}|[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_NUMBER = "[0-9]{1,10}"

PATTERN = f"^(?:{_ADMINISTRATOR}):{_NUMBER}$"
"""What every route distinguisher looks like, as JSON Schema has it; not all that do are one."""

_PARTS = re.compile(f"(?P<administrator>{_ADMINISTRATOR}):(?P<number>{_NUMBER})")
_LARGEST_16, _LARGEST_32 = (1 << 16) - 1, (1 << 32) - 1


def parse_route_distinguisher(text: str, *, field: str = "rd") -> str:
    """Read a route distinguisher: an AS number or an IPv4 address, a colon, and a number.

    Give it without leading zeros, an AS number as a plain one (RFC 5396): ``1.10:5`` is
    ``65546:5``. The number has 16 bits behind an IPv4 address or an AS number of more than 16
    bits, else 32. Raises `Invalid` naming the field.
    """
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise _malformed(text, field)
    number = int(parts["number"])
    administrator, most = _administrator(text, parts["administrator"], field)
    if number > most:
        raise _refusal(text, field, f"the number after the colon is at most {most} here")
    return f"{administrator}:{number}"


def _administrator(text: str, written: str, field: str) -> tuple[str, int]:
    """Give the part before the colon, and the largest number that may follow it."""
    if written.count(".") == 3:
        try:
            return str(ipaddress.IPv4Address(written)), _LARGEST_16
        except ValueError:
            raise _refusal(text, field, f"{written} is no IPv4 address") from None
    high, dot, low = written.rpartition(".")
    if dot and max(int(high), int(low)) > _LARGEST_16:
        raise _refusal(text, field, "an AS number with a dot has 0 to 65535 on each side")
    system = (int(high) << 16 | int(low)) if dot else int(written)
    if system > _LARGEST_32:
        raise _refusal(text, field, f"AS numbers end at {_LARGEST_32}")
    return str(system), _LARGEST_32 if system <= _LARGEST_16 else _LARGEST_16


def _malformed(text: str, field: str) -> Invalid:
    return _refusal(text, field, "write it like 65000:100 or 192.0.2.1:100")


def _refusal(text: str, field: str, reason: str) -> Invalid:
    return Invalid.field(
        field, f"{text[:64]!r} is not a route distinguisher: {reason}", code="invalid_rd"
    )
