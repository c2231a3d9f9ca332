"""What Stripe answers when it does not do as it is asked.

Source: https://docs.stripe.com/api/errors
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """Refuse a request as Stripe does."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self._error = {"type": kind, "message": message, "code": code, "param": param}

    @property
    def body(self) -> dict[str, Any]:
        """Give the answer's body."""
        return {"error": {name: value for name, value in self._error.items() if value is not None}}


def unknown(name: str) -> Refusal:
    """Refuse a parameter that the endpoint does not have."""
    return Refusal(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def missing(name: str) -> Refusal:
    """Refuse a request without a parameter that it needs."""
    return Refusal(f"Missing required param: {name}.", code="parameter_missing", param=name)


def bad(name: str, message: str) -> Refusal:
    """Refuse a value."""
    return Refusal(message, param=name)


def absent(what: str, identifier: str, *, param: str = "id") -> Refusal:
    """Refuse what is about a thing that there is not."""
    return Refusal(
        f"No such {what}: '{identifier}'",
        status=404 if param == "id" else 400,
        code="resource_missing",
        param=param,
    )
