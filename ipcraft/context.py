"""What is true of the work at hand: the id of the request being served."""

from __future__ import annotations

from contextvars import ContextVar

_REQUEST_ID: ContextVar[str | None] = ContextVar("ipcraft_request_id", default=None)


def request_id() -> str | None:
    """Give the id of the request being served, or None outside a request."""
    return _REQUEST_ID.get()


def set_request_id(value: str | None) -> None:
    """Say which request this thread serves from now on."""
    _REQUEST_ID.set(value)
