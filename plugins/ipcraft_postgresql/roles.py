"""The serving role: what a tenant's transaction may be, and no more."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from ipcraft.plugin import StartError


def ensure_serving_role(connection: Connection, role: str) -> None:
    """Make the role if need be, check that row-level security binds it, let this login take it.

    Raises `StartError` with the statement to run when this login may not make roles, or when
    the role would see every tenant.
    """
    found = connection.execute(
        text("SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).one_or_none()
    if found is None:
        _create(connection, role)
    elif found[0]:
        raise StartError(
            f"the serving role {role!r} is not bound by row-level security: "
            f'run `ALTER ROLE "{role}" NOSUPERUSER NOBYPASSRLS`, or name another one '
            "as `serving_role` in `[plugins.postgresql]`"
        )
    _grant(connection, role)


def _create(connection: Connection, role: str) -> None:
    # Roles belong to the cluster: an upgrade of its other database may be making the same one.
    try:
        connection.execute(
            text(
                f'DO $$ BEGIN CREATE ROLE "{role}" NOLOGIN NOBYPASSRLS; '
                "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        )
    except ProgrammingError as error:
        raise StartError(
            f"the serving role {role!r} does not exist and this login may not make it: run "
            f'`CREATE ROLE "{role}" NOLOGIN; GRANT "{role}" TO <this login>` as a superuser'
        ) from error


def _grant(connection: Connection, role: str) -> None:
    member = connection.execute(
        text("SELECT pg_has_role(current_user, :role, 'SET')"), {"role": role}
    ).scalar_one()
    if not member:
        connection.execute(text(f'GRANT "{role}" TO CURRENT_USER'))
    connection.execute(text(f'GRANT USAGE ON SCHEMA public TO "{role}"'))
