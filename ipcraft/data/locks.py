"""Named locks that a transaction holds until its end.

On PostgreSQL they are advisory locks: they cost no write and no row version. On SQLite a
writing transaction is alone, so there they are nothing.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from sqlalchemy import BigInteger, Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from ipcraft.data.statements import Statement, given
from sqlalchemy import func, select


def lock_key(*parts: str | bytes) -> int:
    """Give the 64-bit number that stands for a name's parts."""
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return int.from_bytes(digest.digest(), "big", signed=True)


class try_lock(GenericFunction[bool]):  # noqa: N801 - a SQL function's name
    """Be true where the key's lock was free and is now this transaction's; never wait."""

    type = Boolean()
    inherit_cache = True
    name = "try_lock"


@compiles(try_lock, "postgresql")
def _try_lock_postgresql(element: try_lock, compiler: SQLCompiler, **options: Any) -> str:
    return f"pg_try_advisory_xact_lock({compiler.process(element.clauses, **options)})"


@compiles(try_lock, "sqlite")
def _try_lock_sqlite(element: try_lock, compiler: SQLCompiler, **options: Any) -> str:
    return "1"


EXCLUSIVE = Statement(select(func.pg_advisory_xact_lock(given("key", BigInteger()))))
SHARED = Statement(select(func.pg_advisory_xact_lock_shared(given("key", BigInteger()))))
"""PostgreSQL only: wait for the lock, alone or beside other sharers."""
