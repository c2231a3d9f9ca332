"""Folders, called sections in paths and fields: they group subnets and hold nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from ipcraft.plugin import Statement, Transaction, given, own
from ipcraft_ipam.locking import change_tree
from ipcraft_ipam.registers import Kind, Register
from ipcraft_ipam.tables import sections, subnets


@dataclass(frozen=True, slots=True)
class Section:
    """Be a folder as stored; times are seconds since the epoch."""

    id: str
    name: str
    description: str | None
    sort_order: int
    created_at: int
    updated_at: int


SECTIONS = Register(
    sections,
    Section,
    kind=Kind(
        prefix="sec",
        event="folder",
        noun="folder",
        label=lambda section: section.name,
        editable=("name", "description", "sort_order"),
        defaults={"description": None, "sort_order": 0},
    ),
    order=[sections.c.sort_order, sections.c.name, sections.c.id],
)
get, create, change = SECTIONS.get, SECTIONS.create, SECTIONS.change

_LEAVE = Statement(
    update(subnets)
    .where(subnets.c.organization_id == own(), subnets.c.section_id == given("id"))
    .values(section_id=None)
)


def remove(tx: Transaction, section_id: str) -> None:
    """Delete a folder; its subnets stay, in none. Raises `NotFound`."""
    change_tree(tx)
    section = SECTIONS.get_to_change(tx, section_id)
    SECTIONS.remove(tx, section)
    tx.write(_LEAVE, id=section_id)
