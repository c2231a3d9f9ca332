"""Settings of Redis."""

from __future__ import annotations

from marshmallow import fields, validate

from ipcraft.plugin import Schema


class RedisSettings(Schema):
    """Read ``[plugins.redis]``."""

    url = fields.String(
        load_default=None,
        validate=validate.Regexp(
            r"(redis|rediss|unix)://", error="Not a redis://, rediss:// or unix:// URL."
        ),
        metadata={
            "secret": True,
            "description": "The server, `redis://:PASSWORD@HOST:6379/0`. Without it nothing is "
            "done in Redis: each machine counts for itself, and servers run their jobs themselves.",
        },
    )
    prefix = fields.String(
        load_default="ipcraft",
        validate=validate.Regexp(r"[a-zA-Z0-9_.-]{1,64}$"),
        metadata={"description": "What our keys begin with; installations on one server differ."},
    )
    timeout = fields.Float(
        load_default=0.2,
        validate=validate.Range(min=0.01),
        metadata={"description": "Seconds a request waits for the server before it goes on."},
    )
    pause = fields.Float(
        load_default=2.0,
        validate=validate.Range(min=0),
        metadata={
            "description": "Seconds after a failure in which a process does not try the server."
        },
    )
