"""Settings of what is done without a server."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Schema


class LocalSettings(Schema):
    """Read ``[plugins.local]``."""

    job_threads = fields.Integer(
        load_default=2,
        validate=validate.Range(min=1),
        metadata={"description": "How many jobs a process runs at once, where it runs them."},
    )
