"""Settings of the PostgreSQL storage."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Schema


class PostgreSQLSettings(Schema):
    """Read ``[plugins.postgresql]``."""

    serving_role = fields.String(
        load_default="ipcraft_app",
        validate=validate.Regexp(r"[a-z_][a-z0-9_]{0,62}"),
        metadata={
            "description": "The role without BYPASSRLS that every tenant's transaction takes. "
            "`ipcraft db upgrade` makes it if it does not exist."
        },
    )
    pool_size = fields.Integer(
        load_default=16,
        validate=validate.Range(min=1),
        metadata={"description": "Connections each worker process may open."},
    )
    pool_timeout = fields.Float(
        load_default=3.0,
        validate=validate.Range(min=0.1),
        metadata={"description": "Seconds a request waits for a connection before it gets 503."},
    )
    lock_timeout = fields.Float(
        load_default=5.0,
        validate=validate.Range(min=0.1),
        metadata={
            "description": "Seconds a write waits for another of the same organization, such as "
            "the deletion of a large subnet, before it gets 503."
        },
    )
    silence_timeout = fields.Float(
        load_default=60.0,
        validate=validate.Range(min=1),
        metadata={
            "description": "Seconds a request waits for an answer of the server before it gets 503 "
            "and the connection is given up. Statements that take longer need more."
        },
    )
    prepared_statements = fields.Boolean(
        load_default=True,
        metadata={
            "description": "Keep statements prepared on each connection. Switch it off behind a "
            "PgBouncer in transaction mode that is older than 1.21 or has "
            "`max_prepared_statements = 0`."
        },
    )
