"""Named locks that a transaction holds until its end.

On PostgreSQL they are advisory locks: they cost no write and no row version. On SQLite a
writing transaction is alone, so there they are nothing.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType


def lock_key(*name: str) -> int:
    """Give the 64-bit number that stands for a name of several parts."""
    digest = blake2b("\0".join(name).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class try_lock(GenericFunction[bool]):  # noqa: N801 - a SQL function's name
    """Be true where the lock of this name was free and is now this transaction's; never wait."""

    type = Boolean()
    inherit_cache = True
    name = "try_lock"


class wait_lock(GenericFunction[None]):  # noqa: N801 - a SQL function's name
    """Wait for the lock that `try_lock` did not get."""

    type = NullType()
    inherit_cache = True
    name = "wait_lock"


@compiles(try_lock, "postgresql")
def _try_lock(element: try_lock, compiler: SQLCompiler, **options: Any) -> str:
    name = compiler.process(element.clauses, **options)
    return f"pg_try_advisory_xact_lock(hashtextextended({name}, 0))"


@compiles(wait_lock, "postgresql")
def _wait_lock(element: wait_lock, compiler: SQLCompiler, **options: Any) -> str:
    name = compiler.process(element.clauses, **options)
    return f"pg_advisory_xact_lock(hashtextextended({name}, 0))"


@compiles(try_lock, "sqlite")
@compiles(wait_lock, "sqlite")
def _no_lock(element: GenericFunction[Any], compiler: SQLCompiler, **options: Any) -> str:
    return "1"
