"""Folders, called sections in paths and fields: they group subnets and hold nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import BigInteger, Integer, delete, func, insert, select, tuple_, update

from ipcraft.plugin import (
    Change,
    CountedPage,
    Invalid,
    NotFound,
    Reader,
    Row,
    Statement,
    Transaction,
    given,
    new_id,
    own,
)
from ipcraft_ipam.locking import change_tree
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


_c = sections.c
_COLUMNS = tuple(_c[field.name] for field in fields(Section))
_BY_ID = (_c.organization_id == own(), _c.id == given("id"))
_EDITABLE = ("name", "description", "sort_order")

_ONE = Statement(select(*_COLUMNS).where(*_BY_ID), Section)
_ONE_TO_CHANGE = Statement(select(*_COLUMNS).where(*_BY_ID).with_for_update(), Section)
_PAGE = Statement(
    select(*_COLUMNS)
    .where(
        _c.organization_id == own(),
        tuple_(_c.sort_order, _c.name, _c.id)
        > tuple_(given("sort_order", BigInteger()), given("name"), given("id")),
    )
    .order_by(_c.sort_order, _c.name, _c.id)
    .limit(given("limit", Integer())),
    Section,
)
_COUNTED_PAGE = CountedPage(
    select(*_COLUMNS).where(_c.organization_id == own()),
    order=[_c.sort_order, _c.name, _c.id],
    total=select(func.count())
    .select_from(sections)
    .where(_c.organization_id == own())
    .scalar_subquery(),
    into=Section,
)
_INSERT = Statement(insert(sections))
_UPDATE = Statement(
    update(sections)
    .where(*_BY_ID)
    .values({name: given(f"new_{name}", _c[name].type) for name in (*_EDITABLE, "updated_at")})
)
_DELETE = Statement(delete(sections).where(*_BY_ID))
_LEAVE = Statement(
    update(subnets)
    .where(subnets.c.organization_id == own(), subnets.c.section_id == given("id"))
    .values(section_id=None)
)
FIRST: Row = (-(1 << 63), "", "")
"""The place before every folder in the order of lists."""


def get(tx: Reader, section_id: str) -> Section:
    """Give a folder. Raises `NotFound`."""
    section = tx.one(_ONE, id=section_id)
    if section is None:
        raise NotFound("Folder not found")
    return section


def require(tx: Transaction, section_id: str | None) -> None:
    """Refuse a `section_id` that names no folder of the organization. Raises `Invalid`."""
    if section_id is not None and tx.one(_ONE, id=section_id) is None:
        raise Invalid.field(
            "section_id", "section_id names no folder of yours", code="unknown_section"
        )


def page(tx: Reader, *, after: Row = FIRST, limit: int) -> list[Section]:
    """Give up to `limit` folders by sort order and name, after a place in that order."""
    sort_order, name, section_id = after
    return tx.all(_PAGE, sort_order=sort_order, name=name, id=section_id, limit=limit)


def page_of(tx: Reader, *, limit: int, offset: int) -> tuple[list[Section], int]:
    """Give up to `limit` folders after `offset` ones, and how many there are in all."""
    return _COUNTED_PAGE.read(tx, limit=limit, offset=offset)


def create(tx: Transaction, values: Mapping[str, Any]) -> Section:
    """Create a folder of `name` and the optional `description` and `sort_order`."""
    section = Section(
        id=new_id("sec"),
        name=values["name"],
        description=values.get("description"),
        sort_order=values.get("sort_order", 0),
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.record(_change("created", section, f"Created folder {section.name}", _editable(section)))
    tx.write(_INSERT, **{field.name: getattr(section, field.name) for field in fields(Section)})
    return section


def change(tx: Transaction, section_id: str, values: Mapping[str, Any]) -> Section:
    """Change the given fields of a folder. Raises `NotFound`."""
    old = tx.one(_ONE_TO_CHANGE, id=section_id)
    if old is None:
        raise NotFound("Folder not found")
    changed = {name: value for name, value in values.items() if getattr(old, name) != value}
    if not changed:
        return old
    section = replace(old, **changed, updated_at=tx.now)
    before = {name: getattr(old, name) for name in changed}
    details = f"Updated folder {section.name}"
    tx.record(_change("updated", section, details, changed, before=before))
    tx.write(
        _UPDATE,
        id=section_id,
        **{f"new_{name}": getattr(section, name) for name in (*_EDITABLE, "updated_at")},
    )
    return section


def remove(tx: Transaction, section_id: str) -> None:
    """Delete a folder; its subnets stay, in none. Raises `NotFound`."""
    change_tree(tx)
    section = get(tx, section_id)
    details = f"Deleted folder {section.name}"
    tx.record(_change("deleted", section, details, {}, before=_editable(section)))
    tx.write(_LEAVE, id=section_id)
    tx.write(_DELETE, id=section_id)


def _editable(section: Section) -> dict[str, Any]:
    return {name: getattr(section, name) for name in _EDITABLE}


def _change(
    verb: str,
    section: Section,
    details: str,
    data: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
) -> Change:
    return Change(
        type=f"folder.{verb}",
        resource_id=section.id,
        label=section.name,
        details=details,
        data=data,
        before=before,
    )
