"""Registers: the small tables of what subnets refer to by its id, folders, VRFs and VLANs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sqlalchemy import (
    ColumnElement,
    Integer,
    Table,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from ipcraft.plugin import (
    Change,
    CountedPage,
    NotFound,
    Reader,
    Row,
    Statement,
    Transaction,
    given,
    new_id,
    own,
)
from ipcraft_ipam.searchable import register_text


class Record(Protocol):
    """Be a row of a register: a dataclass whose fields are its columns."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def id(self) -> str:
        """Give its identifier."""
        ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[R]):
    """Say what a register has in it.

    `event` begins the event types, `noun` names one in a sentence, `label` tells which one.
    `editable` are the fields that may be given; `defaults` stand for those that were not.
    """

    prefix: str
    event: str
    noun: str
    label: Callable[[R], str]
    editable: tuple[str, ...]
    defaults: Mapping[str, Any]


class Register(Generic[R]):
    """Keep the records of one table: find, list, create, change and delete them."""

    def __init__(
        self,
        table: Table,
        into: type[R],
        *,
        kind: Kind[R],
        order: Sequence[ColumnElement[Any]] = (),
    ) -> None:
        """Order lists by columns of the table that end with the id; else the newest comes first."""
        self._table, self._kind = table, kind
        self._into: Callable[..., R] = into
        self._is_newest_first = not order
        self._order = tuple(order) or (table.c.id,)
        self._columns = tuple(table.c[field.name] for field in fields(into))
        by_id = (table.c.organization_id == own(), table.c.id == given("id"))
        one = select(*self._columns).where(*by_id)
        self._one = Statement(one, into)
        self._one_to_change = Statement(one.with_for_update(), into)
        self._insert = Statement(insert(table))
        self._written = (*kind.editable, "updated_at", "search_text")
        self._update = Statement(
            update(table)
            .where(*by_id)
            .values({name: given(f"new_{name}", table.c[name].type) for name in self._written})
        )
        self._delete = Statement(delete(table).where(*by_id))
        self._page = cache(self._make_page)
        self._counted_page = cache(self._make_counted_page)

    def get(self, tx: Reader, record_id: str) -> R:
        """Give a record. Raises `NotFound`."""
        return self._found(tx.one(self._one, id=record_id))

    def get_to_change(self, tx: Transaction, record_id: str) -> R:
        """Give a record that nobody else changes until the end. Raises `NotFound`."""
        return self._found(tx.one(self._one_to_change, id=record_id))

    def page(
        self, tx: Reader, filters: Mapping[str, Any], *, after: Row | None = None, limit: int
    ) -> list[R]:
        """Give up to `limit` records whose columns equal the filters, after a place in the list."""
        place = {} if after is None else {f"after{n}": value for n, value in enumerate(after)}
        statement = self._page(frozenset(filters), after is not None)
        return tx.all(statement, **filters, **place, limit=limit)

    def page_of(
        self, tx: Reader, filters: Mapping[str, Any], *, limit: int, offset: int
    ) -> tuple[list[R], int]:
        """Give up to `limit` such records after `offset` ones, and how many there are in all."""
        page = self._counted_page(frozenset(filters))
        return page.read(tx, limit=limit, offset=offset, **filters)

    def place(self, record: R) -> Row:
        """Give a record's place in the order of lists."""
        return tuple(getattr(record, column.name) for column in self._order)

    def create(self, tx: Transaction, values: Mapping[str, Any]) -> R:
        """Create a record of the given fields."""
        record = self.propose(tx, values)
        tx.write(self._insert, **self._row(record))
        return record

    def propose(self, tx: Transaction, values: Mapping[str, Any]) -> R:
        """Give the record of the given fields, and record its creation."""
        given_fields = {
            name: values[name] if name in values else self._kind.defaults[name]
            for name in self._kind.editable
        }
        record = self._into(
            id=new_id(self._kind.prefix), **given_fields, created_at=tx.now, updated_at=tx.now
        )
        tx.record(self._change("created", record, given_fields))
        return record

    def change(self, tx: Transaction, record_id: str, values: Mapping[str, Any]) -> R:
        """Change the given fields of a record. Raises `NotFound`."""
        old = self.get_to_change(tx, record_id)
        changed = {name: value for name, value in values.items() if getattr(old, name) != value}
        if not changed:
            return old
        record = replace(old, **changed, updated_at=tx.now)
        before = {name: getattr(old, name) for name in changed}
        tx.record(self._change("updated", record, changed, before=before))
        row = self._row(record)
        tx.write(self._update, id=record_id, **{f"new_{name}": row[name] for name in self._written})
        return record

    def remove(self, tx: Transaction, record: R) -> None:
        """Delete a record that nothing refers to any more."""
        before = {name: getattr(record, name) for name in self._kind.editable}
        tx.record(self._change("deleted", record, {}, before=before))
        tx.write(self._delete, id=record.id)

    def _row(self, record: R) -> dict[str, Any]:
        """Give all columns of a record, what it is found by among them."""
        row = {column.name: getattr(record, column.name) for column in self._columns}
        return {**row, "search_text": register_text(row)}

    def _found(self, record: R | None) -> R:
        if record is None:
            noun = self._kind.noun
            raise NotFound(f"{noun[0].upper()}{noun[1:]} not found")
        return record

    def _change(
        self,
        verb: str,
        record: R,
        data: Mapping[str, Any],
        *,
        before: Mapping[str, Any] | None = None,
    ) -> Change:
        label = self._kind.label(record)
        return Change(
            type=f"{self._kind.event}.{verb}",
            resource_id=record.id,
            label=label,
            details=f"{verb.capitalize()} {self._kind.noun} {label}",
            data=data,
            before=before,
        )

    def _conditions(self, names: frozenset[str]) -> list[ColumnElement[bool]]:
        columns = self._table.c
        equal = [columns[name] == given(name, columns[name].type) for name in sorted(names)]
        return [columns.organization_id == own(), *equal]

    def _ordered(self) -> list[ColumnElement[Any]]:
        return [column.desc() if self._is_newest_first else column for column in self._order]

    def _make_page(self, names: frozenset[str], continued: bool) -> Statement[R]:  # noqa: FBT001
        conditions = self._conditions(names)
        if continued:
            here = tuple_(*self._order)
            places = enumerate(self._order)
            after = tuple_(*(given(f"after{n}", column.type) for n, column in places))
            conditions.append(here < after if self._is_newest_first else here > after)
        return Statement(
            select(*self._columns)
            .where(*conditions)
            .order_by(*self._ordered())
            .limit(given("limit", Integer())),
            self._into,
        )

    def _make_counted_page(self, names: frozenset[str]) -> CountedPage[R]:
        conditions = self._conditions(names)
        total = select(func.count()).select_from(self._table).where(*conditions)
        return CountedPage(
            select(*self._columns).where(*conditions),
            order=self._ordered(),
            total=total.scalar_subquery(),
            into=self._into,
        )
