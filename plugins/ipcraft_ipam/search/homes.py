"""The subnets around addresses that were found, to tell which VLANs and folders these are in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, Column, ColumnElement, FromClause, ScalarSelect, select

from ipcraft.plugin import own
from ipcraft_ipam.tables import NO_PARENT, subnets


def around_homes(rows: FromClause) -> CTE:
    """Give each home of the addresses with itself and each subnet around it.

    Columns: `home`, and `vlan_id` and `section_id` of one that contains it.

    PERF: many addresses share a home, and each step looks up one row by its key: a join may be
    planned as a scan of all subnets.
    """
    homes = select(rows.c.subnet_id.label("home"), rows.c.subnet_id.label("at")).distinct()
    up = homes.cte("up", recursive=True)
    step = select(up.c.home, _of(subnets.c.parent_id, up.c.at)).where(up.c.at != NO_PARENT)
    up = up.union_all(step)
    vlan_id, section_id = (
        _of(column, up.c.at).label(column.name)
        for column in (subnets.c.vlan_id, subnets.c.section_id)
    )
    return select(up.c.home, vlan_id, section_id).where(up.c.at != NO_PARENT).cte("marked")


def _of(column: Column[Any], subnet_id: ColumnElement[str]) -> ScalarSelect[Any]:
    one = subnets.alias("one")
    found = select(one.c[column.name]).where(one.c.organization_id == own(), one.c.id == subnet_id)
    return found.correlate_except(one).scalar_subquery()
