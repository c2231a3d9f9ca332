"""Keep a text of each subnet and address to find it by, and index it.

PostgreSQL: a GIN index on the text's pieces, and functions that look into it for the tenant: what
the index needs is not leakproof, so the tenant's own queries under row-level security cannot use it
(https://www.postgresql.org/docs/current/rules-privileges.html). SQLite: FTS5, kept by triggers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from ipcraft.plugin import SERVING_ROLE, ExactText
from ipcraft_ipam.searchable import address_text, subnet_text

revision = "ipam_0005"
down_revision = "ipam_0004"

_BATCH = 5_000
_NO_TEXT = {"organization_id", "id", "search_text"}

_addresses = sa.table(
    "addresses",
    *(
        sa.column(name, ExactText)
        for name in ("organization_id", "id", "hostname", "owner", "description", "status")
    ),
    sa.column("search_text", ExactText),
)
_subnets = sa.table(
    "subnets",
    *(
        sa.column(name, ExactText)
        for name in ("organization_id", "id", "name", "description", "search_text")
    ),
)

_SALT = "left(encode(substr(int8send(hashtextextended({organization}, 0)), 4), 'base64'), 7)"
"""What an organization's pieces are filed under: 40 bits, which keep the lists of two apart."""

_PIECES = rf"""
CREATE FUNCTION ipam_search_pieces(organization_id text, id text, search_text text)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    salt CONSTANT text := {_SALT.format(organization="organization_id")};
    parts CONSTANT text[] := string_to_array(search_text, chr(1));
    four CONSTANT text := '.{{1,4}}';
    field text;
    mark text;
    lexeme text;
    found text := '';
    result text;
BEGIN
    FOR n IN 2 .. cardinality(parts) LOOP
        field := chr(1) || split_part(parts[n], chr(2), 1) || chr(2);
        mark := chr(3) || right(parts[n - 1], 1);
        lexeme := mark || '\&' || chr(9);
        found := found || replace(
            regexp_replace(field, four, lexeme, 'g')
            || regexp_replace(substr(field, 2), four, lexeme, 'g')
            || regexp_replace(substr(field, 3), four, lexeme, 'g')
            || regexp_replace(substr(field, 4), four, lexeme, 'g'),
            mark || chr(2) || chr(9),
            ''
        );
    END LOOP;
    result := replace(found, chr(3), salt);
    IF id LIKE '%0' THEN
        result := result || replace(found, chr(3), salt || '1');
    END IF;
    IF id LIKE '%00' THEN
        result := result || replace(found, chr(3), salt || '2');
    END IF;
    RETURN array_to_tsvector(string_to_array(rtrim(result, chr(9)), chr(9)));
END $$
"""
"""Every run of four characters of a field with its marks, under the organization and the tag.

PERF: 10 us for a hostname of 20 characters, and no time that grows with the square of the length.
One record in 32 is filed twice, one in 1,024 three times.
"""

_FINDER = """
CREATE FUNCTION ipam_search_{table}(samples text, enough integer)
RETURNS SETOF {schema}.{table} LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    tenant CONSTANT text := NULLIF(current_setting('ipcraft.org', true), '');
    salt CONSTANT text := {salt};
    sample text;
    level integer := 0;
    more integer;
    found integer := 0;
BEGIN
    IF tenant IS NULL THEN
        RETURN;
    END IF;
    FOREACH sample IN ARRAY string_to_array(samples, chr(10)) LOOP
        level := level + 1;
        RETURN QUERY
            SELECT it.* FROM {schema}.{table} AS it
            WHERE it.search_text IS NOT NULL
            AND it.organization_id IS NOT DISTINCT FROM tenant
            AND {schema}.ipam_search_pieces(it.organization_id, it.id, it.search_text)
                @@ replace(sample, chr(3), salt)::tsquery
            AND (level = 1 OR it.id NOT LIKE CASE level WHEN 2 THEN '%00' ELSE '%0' END);
        GET DIAGNOSTICS more = ROW_COUNT;
        found := found + more;
        EXIT WHEN found >= enough;
    END LOOP;
END $$
"""
"""The tenant's rows that have the pieces asked for: those of the small sample, or, if they are not
`enough`, those of the large one too, or all. The question for each stands on a line.

APPSEC: it runs as the owner, whom row-level security lets see everything. So it asks for the tenant
itself, finds by schema what is not PostgreSQL's own, and makes no SQL of what it is given.

PERF: IS NOT DISTINCT FROM uses no index, so that the planner can only take the one on the pieces.
"""

_INDEX = (
    "CREATE INDEX ix_{table}_search ON {table} USING gin "
    "(ipam_search_pieces(organization_id, id, search_text)) "
    "WITH (gin_pending_list_limit = 256) WHERE search_text IS NOT NULL"
)
"""PERF: what waits to be sorted in is read by every search; 256 KiB are some 600 addresses."""

_ADD = (
    "INSERT INTO {table}_search (organization_id, id) "
    "SELECT new.organization_id, new.id WHERE new.search_text IS NOT NULL; "
    "INSERT INTO {table}_trigrams (rowid, text) "
    "SELECT number, upper(substr(organization_id, -3)) || new.search_text FROM {table}_search "
    "WHERE organization_id = new.organization_id AND id = new.id;"
)
_REMOVE = (
    "INSERT INTO {table}_trigrams ({table}_trigrams, rowid, text) "
    "SELECT 'delete', number, upper(substr(organization_id, -3)) || old.search_text "
    "FROM {table}_search WHERE organization_id = old.organization_id AND id = old.id; "
    "DELETE FROM {table}_search WHERE organization_id = old.organization_id AND id = old.id;"
)
_SQLITE = (
    (
        "CREATE TABLE {table}_search (number INTEGER PRIMARY KEY AUTOINCREMENT, "
        "organization_id TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (organization_id, id))"
    ),
    (
        "CREATE VIRTUAL TABLE {table}_trigrams USING fts5(text, content='', detail=none, "
        "columnsize=0, tokenize='trigram case_sensitive 1')"
    ),
    (
        "CREATE TRIGGER {table}_search_added AFTER INSERT ON {table} "
        f"WHEN new.search_text IS NOT NULL BEGIN {_ADD} END"
    ),
    (
        "CREATE TRIGGER {table}_search_removed AFTER DELETE ON {table} "
        f"WHEN old.search_text IS NOT NULL BEGIN {_REMOVE} END"
    ),
    (
        "CREATE TRIGGER {table}_search_changed AFTER UPDATE OF search_text ON {table} "
        f"WHEN new.search_text IS NOT old.search_text BEGIN {_REMOVE} {_ADD} END"
    ),
)
"""Each text has a number, which FTS5 calls it by: the rows' own numbers change with VACUUM."""


def upgrade() -> None:
    """Add the texts, write those of the rows there are, and index them."""
    connection = op.get_bind()
    on_postgresql = connection.dialect.name == "postgresql"
    for table, text_of in ((_subnets, subnet_text), (_addresses, address_text)):
        op.add_column(table.name, sa.Column("search_text", ExactText))
        if not on_postgresql:
            _index_in_sqlite(table.name)
        _fill(connection, table, text_of)
        if on_postgresql:
            _index_in_postgresql(connection, table.name)


def _index_in_sqlite(table: str) -> None:
    for statement in _SQLITE:
        op.execute(statement.format(table=table))


def _index_in_postgresql(connection: sa.Connection, table: str) -> None:
    role = connection.info[SERVING_ROLE]
    schema = connection.dialect.identifier_preparer.quote(
        connection.scalar(sa.text("SELECT current_schema()"))
    )
    if table == _subnets.name:
        op.execute(_PIECES)
    finder = f"ipam_search_{table}(text, integer)"
    for statement in (
        _FINDER.format(schema=schema, table=table, salt=_SALT.format(organization="tenant")),
        f"REVOKE ALL ON FUNCTION {finder} FROM PUBLIC",
        f'GRANT EXECUTE ON FUNCTION {finder} TO "{role}"',
        f'GRANT EXECUTE ON FUNCTION ipam_search_pieces(text, text, text) TO "{role}"',
        _INDEX.format(table=table),
        f"ALTER INDEX ix_{table}_search ALTER COLUMN 1 SET STATISTICS 0",
    ):
        op.execute(statement)


def _fill(
    connection: sa.Connection, table: sa.TableClause, text_of: Callable[..., str | None]
) -> None:
    """Write the texts of a table's rows, some thousands at a time, in the order of their keys."""
    rows = table.c
    key = sa.tuple_(rows.organization_id, rows.id)
    fields = [column for column in rows if column.name not in _NO_TEXT]
    after = ("", "")
    while True:
        page = connection.execute(
            sa.select(rows.organization_id, rows.id, *fields)
            .where(key > sa.tuple_(*map(sa.literal, after)))
            .order_by(rows.organization_id, rows.id)
            .limit(_BATCH)
        ).all()
        if not page:
            return
        after = (page[-1].organization_id, page[-1].id)
        _write(connection, table, list(_texts(page, fields, text_of)))


def _texts(
    page: Sequence[sa.Row[Any]],
    fields: Sequence[sa.ColumnClause[Any]],
    text_of: Callable[..., str | None],
) -> Iterator[dict[str, str]]:
    for row in page:
        text = text_of(**{field.name: getattr(row, field.name) for field in fields})
        if text is not None:
            yield {"organization": row.organization_id, "row": row.id, "text": text}


def _write(connection: sa.Connection, table: sa.TableClause, texts: list[dict[str, str]]) -> None:
    """Write texts. PERF: one statement with arrays takes PostgreSQL a fifth of one for each."""
    if not texts:
        return
    if connection.dialect.name == "postgresql":
        statement = sa.text(
            f"UPDATE {table.name} SET search_text = given.text FROM unnest(CAST(:organization "
            "AS text[]), CAST(:row AS text[]), CAST(:text AS text[])) AS given(organization, row, "
            f"text) WHERE {table.name}.organization_id = given.organization "
            f"AND {table.name}.id = given.row"
        )
        arrays = {name: [each[name] for each in texts] for name in texts[0]}
        connection.execute(statement, arrays)
    else:
        at = (
            table.c.organization_id == sa.bindparam("organization"),
            table.c.id == sa.bindparam("row"),
        )
        values: dict[str, Any] = {"search_text": sa.bindparam("text")}
        connection.execute(sa.update(table).where(*at).values(values), texts)
