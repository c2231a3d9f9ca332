"""What a subnet refers to: its folder, VRF and VLAN are the organization's own."""

from __future__ import annotations

from sqlalchemy import Select, Table, select

from ipcraft.plugin import Invalid, Statement, Transaction, given, own
from ipcraft_ipam.tables import sections, vlans, vrfs

_TABLES = {"section_id": sections, "vrf_id": vrfs, "vlan_id": vlans}
_KNOWN = "ipam.references"


def _own_id(field: str, table: Table) -> Select[str]:
    return select(table.c.id).where(table.c.organization_id == own(), table.c.id == given(field))


_FOUND = Statement(
    select(*(_own_id(field, table).scalar_subquery() for field, table in _TABLES.items()))
)


def require(
    tx: Transaction,
    *,
    section_id: str | None = None,
    vrf_id: str | None = None,
    vlan_id: str | None = None,
) -> None:
    """Refuse an id that names no folder, VRF or VLAN of the organization. Raises `Invalid`.

    The transaction keeps the tree or changes it: nobody deletes any of them before it ends.

    PERF: one look for all of them, none where none is given or all were seen before: a list of
    10,000 subnets of one VRF looks once.
    """
    wanted = {"section_id": section_id, "vrf_id": vrf_id, "vlan_id": vlan_id}
    known: set[str | None] = tx.notes.setdefault(_KNOWN, {None})
    if known.issuperset(wanted.values()):
        return
    found = tx.one(_FOUND, **wanted) or ()
    for (field, identifier), seen in zip(wanted.items(), found, strict=True):
        if identifier is not None and seen is None:
            raise _refusal(field)
    known.update(wanted.values())


def _refusal(field: str) -> Invalid:
    if field == "section_id":
        return Invalid.field(field, f"{field} names no folder of yours", code="unknown_section")
    if field == "vrf_id":
        return Invalid.field(field, f"{field} names no VRF of yours", code="unknown_vrf")
    return Invalid.field(field, f"{field} names no VLAN of yours", code="unknown_vlan")
