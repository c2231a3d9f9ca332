"""Validators of settings and bodies that marshmallow has not."""

from __future__ import annotations

from collections.abc import Callable

from marshmallow import ValidationError


def readable_by(read: Callable[[str], object]) -> Callable[[str], None]:
    """Refuse a text with what `read` says against it, a ValueError.

    >>> fields.String(validate=readable_by(ip_address))  # doctest: +SKIP
    """

    def check(text: str) -> None:
        try:
            read(text)
        except ValueError as error:
            raise ValidationError(f"Not usable: {error}.") from error

    return check
