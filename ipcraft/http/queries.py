"""Queries: reading what stands behind the question mark, strictly, through a schema."""

from __future__ import annotations

import re
from typing import Any

import falcon
from marshmallow import EXCLUDE, ValidationError, fields

from ipcraft.http.schemas import Schema, refusal_of

_INTEGER = re.compile("-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_BOOLEANS = {"true": True, "false": False}


class Query(Schema):
    """Read the parameters of a query.

    Parameters that no field names are for somebody else, and left alone. Numbers and true or
    false are read from their text; whatever is no list must be given once.

    >>> from marshmallow import fields
    >>> class GapsQuery(Query):
    ...     start = fields.String()
    ...     most = fields.Integer(load_default=100)
    """

    class Meta:
        """Leave other parameters alone."""

        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Make the field read text, and be as strict with it as with JSON."""
        super().on_bind_field(field_name, field_obj)
        if isinstance(field_obj, fields.List):
            field_obj.pre_load = [_as_list, *field_obj.pre_load]
            _read_text(field_obj.inner)
        else:
            _read_text(field_obj)
            field_obj.pre_load = [_once, *field_obj.pre_load]

    def read(self, req: falcon.Request) -> dict[str, Any]:
        """Read the query of a request. Raises `Invalid`."""
        try:
            values: dict[str, Any] = self.load(dict(req.params))
        except ValidationError as error:
            raise refusal_of(error) from error
        return values


def _read_text(field: fields.Field[Any]) -> None:
    match field:
        case fields.Boolean():
            field.pre_load = [_as_boolean, *field.pre_load]
        case fields.Integer():
            field.pre_load = [_as_integer, *field.pre_load]
        case fields.Float() | fields.Decimal():
            field.pre_load = [_as_number, *field.pre_load]


def _once(value: Any) -> Any:
    if isinstance(value, list):
        raise ValidationError("must be given once")
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_integer(value: Any) -> Any:
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def _as_number(value: Any) -> Any:
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _as_boolean(value: Any) -> Any:
    return _BOOLEANS.get(value, value)
