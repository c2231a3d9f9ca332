"""The plugin's settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate, validates_schema

from ipcraft.plugin import Schema

_SCHEMES = ("nats", "tls")
_SOME_TEXT = validate.Length(min=1, max=1_000)


def _is_server(url: str) -> None:
    scheme, host, port, rest = _parts(url)
    if "@" in host:
        raise ValidationError("Credentials do not belong here: set user and password, or token.")
    if scheme not in _SCHEMES or not host or port == 0 or rest not in ("", "/"):
        raise ValidationError("Not a server such as nats://10.0.0.5:4222 or tls://nats.example.")


def _parts(url: str) -> tuple[str, str, int | None, str]:
    """Give the scheme, the host with who is to sign in there, the port and the rest of a URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", "", None, ""
    rest = parts.path + parts.query + parts.fragment
    return parts.scheme, parts.netloc, port, rest


class Settings(Schema):
    """Read ``[plugins.nats]``."""

    servers = fields.List(
        fields.String(validate=_is_server),
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "Servers of one cluster: `nats://HOST:PORT` or `tls://...`."},
    )
    user = fields.String(
        load_default=None, validate=_SOME_TEXT, metadata={"description": "Whom to sign in as."}
    )
    password = fields.String(
        load_default=None,
        validate=_SOME_TEXT,
        metadata={"secret": True, "description": "The user's password."},
    )
    token = fields.String(
        load_default=None,
        validate=_SOME_TEXT,
        metadata={"secret": True, "description": "A token, in the place of user and password."},
    )
    ca_file = fields.String(
        load_default=None,
        validate=_SOME_TEXT,
        metadata={"description": "A PEM file with the authorities to trust, not the system's."},
    )
    certificate_file = fields.String(
        load_default=None,
        validate=_SOME_TEXT,
        metadata={"description": "A PEM file with a certificate of our own and its key."},
    )
    stream = fields.String(
        load_default="IPCRAFT",
        validate=validate.Regexp(r"[A-Za-z0-9_-]{1,255}\Z", error="Not a stream's name."),
        metadata={"description": "The stream that keeps the events."},
    )
    create_stream = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether the stream is made when there is none."},
    )
    subject = fields.String(
        load_default="ipcraft",
        validate=validate.Regexp(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z", error="Not a subject."),
        metadata={"description": "What every subject begins with."},
    )
    timeout = fields.Float(
        load_default=5.0,
        validate=validate.Range(min=0.1, max=60),
        metadata={"description": "Seconds to wait for a connection, and for an acknowledgement."},
    )

    @validates_schema
    def _credentials_agree(self, data: dict[str, Any], **_: Any) -> None:
        user, password, token = (data.get(name) for name in ("user", "password", "token"))
        if (user is None) != (password is None):
            raise ValidationError("user and password are set together or not at all.", "user")
        if token is not None and user is not None:
            raise ValidationError("There is a user already.", "token")
