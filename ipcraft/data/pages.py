"""A page of a list and the length of the whole list, in one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    UnaryExpression,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
)

from ipcraft.data.statements import Statement, given
from ipcraft.data.transactions import Reader

R = TypeVar("R")

_LIMIT, _OFFSET = given("limit", BigInteger()), given("offset", BigInteger())


class CountedPage(Generic[R]):
    """Read `limit` rows of a list after `offset` ones, and count the list only where need be.

    A page that is not full tells where the list ends; `total`, an aggregate over the whole list, is
    asked only beside a full page, or beyond the end. `order` are columns of `rows`, or their
    ``desc()``. `beside` gives further columns for the rows of the page alone, such as sums that
    would cost much for the skipped ones. With `within`, a query of one row, `rows` and `total`
    may look at it (`rows` by scalar subqueries), and there is no answer without it. `one_plan` is
    for a list that goes by keys, see `Statement`.

    >>> _PAGE = CountedPage(
    ...     select(things.c.id, things.c.name).where(things.c.organization_id == own()),
    ...     order=[things.c.name, things.c.id],
    ...     total=select(func.count()).where(things.c.organization_id == own()).scalar_subquery(),
    ...     into=Thing,
    ... )
    >>> things, total = _PAGE.read(reader, limit=50, offset=0)
    """

    def __init__(
        self,
        rows: Select[*tuple[Any, ...]],
        *,
        order: Sequence[ColumnElement[Any]],
        total: ScalarSelect[Any],
        into: Callable[..., R],
        beside: Callable[[CTE], Sequence[ColumnElement[Any]]] = lambda _: (),
        within: CTE | None = None,
        one_plan: bool = False,
    ) -> None:
        ordered = rows.order_by(*order).limit(_LIMIT).offset(_OFFSET)
        page = ordered.add_columns(literal(1, Integer()).label("present")).cte("page")
        size = select(func.count().label("rows")).select_from(page).subquery("size")
        ended = and_(size.c.rows < _LIMIT, or_(size.c.rows > 0, _OFFSET == 0))
        # PERF: by itself it is asked once, and beside the rows it would be for each of them.
        length = (
            select(case((ended, _OFFSET + size.c.rows), else_=total))
            .select_from(size if within is None else within.join(size, true()))
            .scalar_subquery()
        )
        columns = [column for column in page.c if column.name != "present"]
        source: FromClause = select(literal(1)).subquery("one") if within is None else within
        self.statement = Statement(
            select(length, page.c.present, *columns, *beside(page))
            .select_from(source.outerjoin(page, true()))
            .order_by(*(_of_page(each, page) for each in order)),
            one_plan=one_plan,
        )
        self._into = into

    def find(
        self, reader: Reader, *, limit: int, offset: int, **parameters: Any
    ) -> tuple[list[R], int] | None:
        """Give the page and the length of the list, or None where `within` gives no row."""
        rows = reader.all(self.statement, limit=limit, offset=offset, **parameters)
        if not rows:
            return None
        return [self._into(*row[2:]) for row in rows if row[1]], int(rows[0][0])

    def read(
        self, reader: Reader, *, limit: int, offset: int, **parameters: Any
    ) -> tuple[list[R], int]:
        """Give the page and the length of a list that is always there."""
        found = self.find(reader, limit=limit, offset=offset, **parameters)
        assert found is not None, "without `within` there is always a row"
        return found


def _of_page(order: ColumnElement[Any], page: CTE) -> ColumnElement[Any]:
    """Give the same order by the page's own columns."""
    column: Any = order.element if isinstance(order, UnaryExpression) else order
    own: ColumnElement[Any] = page.c[column.name]
    return own if column is order else own.desc()
