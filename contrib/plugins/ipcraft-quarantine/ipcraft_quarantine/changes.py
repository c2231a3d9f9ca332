"""What assigning and releasing addresses means for the quarantine."""

from __future__ import annotations

from ipcraft.plugin import Change, Invalid, Transaction, rfc3339
from ipcraft_ipam import parse_address
from ipcraft_quarantine import entries

_HOUR = 3600


def refuse_resting(tx: Transaction, change: Change) -> None:
    """Refuse an assignment. Raises `Invalid` saying until when the address rests."""
    vrf_id, ip = _address(change)
    ends_at = entries.end(tx, vrf_id, ip)
    if ends_at is not None:
        raise Invalid.field(
            "ip",
            f"{change.data['ip']} was released and is in quarantine until {rfc3339(ends_at)}",
            code="address_in_quarantine",
        )


def let_rest(tx: Transaction, change: Change, *, hours: int) -> None:
    """Put the address of a release into quarantine for some hours."""
    vrf_id, ip = _address(change)
    entries.put(tx, vrf_id, ip, ends_at=tx.now + hours * _HOUR)


def _address(change: Change) -> tuple[str, int]:
    return change.data["vrf_id"] or "", parse_address(change.data["ip"])
