"""Walks through ranges of addresses or networks in their order, so far and no further.

PERF: each range is read through its index and stops at the limit, whatever the planner thinks of
it: PostgreSQL has LATERAL for that, SQLite joins in the order that CROSS JOIN names.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Integer, Select, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from ipcraft.plugin import AddressBytes, given, own
from ipcraft_ipam.search.candidates import rows_of
from ipcraft_ipam.tables import addresses

MOST = given("most_candidates", Integer())
FIRST, LAST = given("walk_first", AddressBytes), given("walk_last", AddressBytes)
IDS = given("walk_ids")

_START = {"addresses": "ip", "subnets": "first"}
_ORDER = {"addresses": "ip", "subnets": "first, prefix_length"}
_EVERY_VRF = (
    "SELECT '' AS id UNION ALL SELECT id FROM vrfs WHERE organization_id = {own} ORDER BY 1"
)


def by_place(table: Table) -> Select[Any]:
    """Walk from `walk_first` to `walk_last` in one VRF after the other.

    Further parameters: `walk_ids`, the VRFs, all of them if it is null, and `most_candidates`.
    """
    return rows_of(_InVrfs(table), table)


def in_subnets(table: Table) -> Select[Any]:
    """Walk through the subnets whose ids are `walk_ids`, as far as they are in the same range."""
    assert table is addresses, "subnets are found by what they are in themselves"
    return rows_of(_InSubnets(table), table)


class _InVrfs(FunctionElement[Any]):
    inherit_cache = False
    _PARAMETERS: ClassVar = ("own", "ids", "first", "last", "most")

    def __init__(self, table: Table) -> None:
        super().__init__(own(), IDS, FIRST, LAST, MOST)
        self.table = table.name

    def filled(self, sql: str, compiler: SQLCompiler) -> str:
        """Put the parameters and the table's names in their places."""
        clauses: list[ColumnElement[Any]] = list(self.clauses)
        names = dict(zip(self._PARAMETERS, map(compiler.process, clauses), strict=True))
        return sql.format(
            **names,
            table=self.table,
            start=_START[self.table],
            order=_ORDER[self.table],
            vrfs=_EVERY_VRF.format(own=names["own"]),
        )


class _InSubnets(_InVrfs):
    inherit_cache = False


@compiles(_InVrfs, "postgresql")
def _vrfs_in_postgresql(element: _InVrfs, compiler: SQLCompiler, **options: Any) -> str:
    return element.filled(
        "(SELECT it.* FROM ({vrfs}) AS vrf CROSS JOIN LATERAL ("
        "SELECT * FROM {table} WHERE organization_id = {own} AND vrf_id = vrf.id "
        "AND {start} BETWEEN {first} AND {last} ORDER BY {order} LIMIT {most}) AS it "
        "WHERE {ids} IS NULL "
        "OR vrf.id = ANY (ARRAY(SELECT json_array_elements_text(CAST({ids} AS json)))) "
        "LIMIT {most})",
        compiler,
    )


@compiles(_InVrfs, "sqlite")
def _vrfs_in_sqlite(element: _InVrfs, compiler: SQLCompiler, **options: Any) -> str:
    return element.filled(
        "(SELECT it.* FROM ({vrfs}) AS vrf CROSS JOIN {table} AS it "
        "ON it.organization_id = {own} AND it.vrf_id = vrf.id "
        "AND it.{start} BETWEEN {first} AND {last} "
        "WHERE {ids} IS NULL OR vrf.id IN (SELECT value FROM json_each({ids})) LIMIT {most})",
        compiler,
    )


@compiles(_InSubnets, "postgresql")
def _subnets_in_postgresql(element: _InSubnets, compiler: SQLCompiler, **options: Any) -> str:
    return element.filled(
        "(SELECT it.* FROM json_array_elements_text(CAST({ids} AS json)) AS listed (id) "
        "CROSS JOIN LATERAL (SELECT vrf_id, first, last FROM subnets "
        "WHERE organization_id = {own} AND id = listed.id LIMIT 1) AS around "
        "CROSS JOIN LATERAL (SELECT * FROM {table} WHERE organization_id = {own} "
        "AND vrf_id = around.vrf_id AND ip BETWEEN GREATEST(around.first, {first}) "
        "AND LEAST(around.last, {last}) ORDER BY ip LIMIT {most}) AS it LIMIT {most})",
        compiler,
    )


@compiles(_InSubnets, "sqlite")
def _subnets_in_sqlite(element: _InSubnets, compiler: SQLCompiler, **options: Any) -> str:
    return element.filled(
        "(SELECT it.* FROM json_each({ids}) AS listed CROSS JOIN subnets AS around "
        "ON around.organization_id = {own} AND around.id = listed.value "
        "CROSS JOIN {table} AS it ON it.organization_id = {own} "
        "AND it.vrf_id = around.vrf_id AND it.ip BETWEEN max(around.first, {first}) "
        "AND min(around.last, {last}) LIMIT {most})",
        compiler,
    )
