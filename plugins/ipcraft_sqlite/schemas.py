"""Settings of the SQLite storage."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Schema


class SQLiteSettings(Schema):
    """Read ``[plugins.sqlite]``."""

    synchronous = fields.String(
        load_default="full",
        validate=validate.OneOf(["full", "normal"]),
        metadata={
            "description": "`full` keeps every acknowledged write through a power cut; "
            "`normal` keeps it through a crash of the process only, and is faster."
        },
    )
    busy_timeout = fields.Integer(
        load_default=10,
        validate=validate.Range(min=1),
        metadata={"description": "Seconds a writer waits for another process's write."},
    )
