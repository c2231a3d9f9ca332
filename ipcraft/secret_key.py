"""The secret of an installation, and the keys that are derived from it."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from sqlalchemy import make_url

from ipcraft.config import Settings
from ipcraft.errors import StartError

SUFFIX = ".secret-key"
"""What the file beside an embedded database is called after it: ``ipcraft.db.secret-key``."""

_EMBEDDED = "sqlite"


def secret_key(settings: Settings) -> str:
    """Give the secret: the settings' own, or that of the file beside an embedded database.

    The file is made when it is not there. Raises `StartError` when there is no secret.
    """
    if settings.secret_key is not None:
        return settings.secret_key
    url = make_url(settings.database_url)
    if url.get_backend_name() != _EMBEDDED or not url.database:
        raise StartError(
            "IPCRAFT_SECRET_KEY is not set, and every server of this database needs the same: "
            "set it to 32 or more random characters, such as those of `openssl rand -hex 32`"
        )
    return _kept_in(Path(url.database + SUFFIX))


def derived_key(secret: str, purpose: str) -> bytes:
    """Give the 32 bytes of the key for one purpose; no key tells anything about another."""
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")


def _kept_in(file: Path) -> str:
    try:
        if not file.exists():
            _make(file)
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(
            f"the secret key cannot be kept in {file}: {error}; "
            "mend that, or set IPCRAFT_SECRET_KEY"
        ) from error
    if not text:
        raise StartError(f"{file} is empty: restore it from a backup, or remove it for a new key")
    return text


def _make(file: Path) -> None:
    """Make the file in one step: of two processes at once, both then read the same."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(32) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink()
