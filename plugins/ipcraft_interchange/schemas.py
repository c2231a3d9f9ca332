"""Settings of import and export, and bodies about imports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from ipcraft.plugin import Query, Schema
from ipcraft_interchange.exporting import FORMATS
from ipcraft_interchange.intake import unknown_fields
from ipcraft_interchange.reports import OUTCOMES

_MEBIBYTE = 1 << 20
_LONGEST_NAME = 255


class InterchangeSettings(Schema):
    """Read ``[plugins.interchange]``."""

    max_bytes = fields.Integer(
        load_default=64 * _MEBIBYTE,
        validate=validate.Range(min=_MEBIBYTE),
        metadata={"description": "Bytes of an upload, which lies in the database until it is run."},
    )
    max_unpacked_bytes = fields.Integer(
        load_default=1024 * _MEBIBYTE,
        validate=validate.Range(min=_MEBIBYTE, max=1 << 40),
        metadata={"description": "Bytes that an uploaded archive may have when it is unpacked."},
    )
    max_waiting = fields.Integer(
        load_default=20,
        validate=validate.Range(min=1),
        metadata={"description": "Imports of one organization that are not run yet."},
    )
    keep_days = fields.Integer(
        load_default=30,
        validate=validate.Range(min=1, max=3650),
        metadata={
            "description": "Days after which reports, and uploads that nobody ran, are forgotten."
        },
    )


class RunBody(Schema):
    """Read how an import is to be run."""

    skip_bad_rows = fields.Boolean(load_default=False)


class Columns(fields.Field[Mapping[str, str]]):
    """Read a JSON object of our fields and the columns that have them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        try:
            columns = json.loads(value)
        except (ValueError, TypeError, RecursionError):
            columns = None
        if not isinstance(columns, dict) or not all(
            isinstance(each, str) for each in columns.values()
        ):
            raise ValidationError('must be a JSON object like {"ip": "Address"}, field by column')
        unknown = unknown_fields(columns)
        if unknown:
            raise ValidationError(f"must have names of fields, and {unknown[0]!r:.64} is none")
        return columns


def _name(description: str) -> fields.String:
    return fields.String(
        load_default=None,
        validate=validate.Length(min=1, max=_LONGEST_NAME),
        metadata={"description": description},
    )


class UploadQuery(Query):
    """Read how files are to be imported."""

    filename = _name("What the file is called; a form names its files itself.")
    format = _name("Who wrote the files, if they do not tell.")
    section = _name("The folder of subnets without one; made when there is none of the name.")
    vrf = _name("The VRF of what has none; made when there is none of the name.")
    columns = Columns(
        load_default=dict,
        metadata={"description": "The columns that have our fields, as a JSON object."},
    )
    run = fields.Boolean(
        load_default=False,
        metadata={"description": "Write what the files have, if nothing of it is refused."},
    )
    skip_bad_rows = fields.Boolean(
        load_default=False,
        metadata={"description": "Write the other rows when some are refused."},
    )


class RowsQuery(Query):
    """Read which rows of a report are wanted."""

    outcome = fields.String(load_default=None, validate=validate.OneOf(OUTCOMES))


class ExportQuery(Query):
    """Read as what the inventory is wanted."""

    format = fields.String(load_default="csv", validate=validate.OneOf(list(FORMATS)))
