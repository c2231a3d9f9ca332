"""Schemas of bodies: marshmallow's, with this API's strictness and sentences.

Fields are marshmallow's own. A schema of this house refuses unknown fields, naming the
nearest known one, and takes no value of a neighbouring type: no ``"1"`` and no ``1.0`` for
an integer, no ``1`` for true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

import marshmallow
from marshmallow import RAISE, ValidationError, fields, missing, validate

from ipcraft.errors import Invalid
from ipcraft.spelling import did_you_mean

LARGEST_INTEGER = 2**31 - 1
"""What an integer column holds in every database. A field that needs more gives its own `Range`."""

_UNKNOWN = "unknown field"
_UNKNOWN_NAMED = 20
_NAME_LENGTH = 64
_WHOLE = "_schema"
_STARTS = ("must ", "is ", "cannot ", "length ")


@dataclass(frozen=True, slots=True)
class Complaint:
    """Say in a sentence what is wrong with one field: ``ip``, ``3.ip`` in item 3 of a list.

    The field is empty when the complaint is about the whole body. `code` is there when the rule
    has one of its own.
    """

    field: str
    message: str
    code: str | None = None


class _CodedMessage(str):
    """Be a message of marshmallow's that keeps the code of the refusal it was."""

    __slots__ = ("code",)

    code: str

    @classmethod
    def of(cls, refusal: Invalid) -> Self:
        message = cls(refusal.message)
        message.code = refusal.code
        return message


class Schema(marshmallow.Schema):
    """Read one kind of body.

    >>> from marshmallow import fields
    >>> class Folder(Schema):
    ...     name = fields.String(required=True)
    ...     sort_order = fields.Integer()

    Make instances once, at import; ``Folder(partial=True)`` reads a PATCH.
    """

    class Meta:
        """Refuse unknown fields."""

        unknown = RAISE

    error_messages: dict[str, str] = {  # noqa: RUF012 - as marshmallow declares it
        "unknown": _UNKNOWN,
        "type": "must be a JSON object",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._has_only_fields = self._is_read_by_fields()
        self._steps = [
            (name, self._key(name), field, field.required or field.load_default is not missing)
            for name, field in self.load_fields.items()
        ]

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Make marshmallow's own field strict."""
        _harden(field_obj)

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Read data. Raises `marshmallow.ValidationError`."""
        if isinstance(data, dict):
            loaded = None if kwargs else self._load_faultless(data)
            if loaded is not None:
                return loaded
            # APPSEC: marshmallow copies all complaints for each new one; some unknown fields
            # stand for all of them, or 100,000 of them in a body would take minutes.
            if len(data) > len(self.load_fields) + _UNKNOWN_NAMED:
                data = self._shortened(data)
        return super().load(data, **kwargs)

    def handle_error(self, error: ValidationError, data: Any, **kwargs: Any) -> None:
        """Name the nearest known field beside each unknown one."""
        messages = error.messages_dict
        known = self._known()
        for name, found in messages.items():
            if found == [_UNKNOWN]:
                messages[name] = [_unknown(name, known)]

    def _load_faultless(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Read data by the fields alone; None where that does not do, or something is wrong.

        PERF: marshmallow looks at each field that is not there as at one that is, and makes ready
        to complain: a body with two of seven fields takes it twice as long.
        """
        if not self._has_only_fields:
            return None
        options = {} if self.partial is None else {"partial": self.partial}
        loaded: dict[str, Any] = {}
        known = 0
        try:
            for name, key, field, may_matter in self._steps:
                if key in data:
                    known += 1
                elif not may_matter or self.partial:
                    continue
                value = field.deserialize(data.get(key, missing), key, data, **options)
                if value is not missing:
                    loaded[name] = value
        except ValidationError:
            return None
        return loaded if known == len(data) else None

    def _is_read_by_fields(self) -> bool:
        """Tell whether nothing but the fields has a say in what is read."""
        return (
            not any(self._hooks.values())
            and self.partial in (None, False, True)
            and not self.many
            and all(field.attribute is None for field in self.load_fields.values())
        )

    def _known(self) -> list[str]:
        return [self._key(name) for name in self.load_fields]

    def _key(self, name: str) -> str:
        return self.load_fields[name].data_key or name

    def _shortened(self, data: dict[str, Any]) -> dict[str, Any]:
        known = self._known()
        kept = {name: data[name] for name in known if name in data}
        unknown = (name for name in data if name not in known)
        return kept | {name: data[name] for name in islice(unknown, _UNKNOWN_NAMED)}


def as_complaint(refusal: Invalid) -> ValidationError:
    """Make a refusal a complaint about the field that is being read.

    Its code is the answer's when it is the only complaint about the body.

    >>> try:
    ...     return parse_network(text)
    ... except Invalid as refusal:
    ...     raise as_complaint(refusal) from refusal
    """
    return ValidationError(_CodedMessage.of(refusal))


def sole_code(found: Iterable[Complaint]) -> str | None:
    """Give the code of what was found wrong where that is one thing; many have none in common."""
    codes = [complaint.code for complaint in found]
    return codes[0] if len(codes) == 1 else None


def complaints(error: ValidationError, *, whole: str = "The body") -> list[Complaint]:
    """List what a schema found wrong, unknown fields first: they often explain the others.

    `whole` is the subject of complaints about no field in particular.
    """
    found = list(_flatten(error.messages_dict, (), whole=whole))
    return sorted(found, key=lambda complaint: not complaint.message.startswith(_UNKNOWN))


def refusal_of(error: ValidationError) -> Invalid:
    """Make what a schema found wrong the refusal of the request, its first complaint in front."""
    found = complaints(error)
    fields: dict[str, list[str]] = {}
    for complaint in found:
        if complaint.field:
            fields.setdefault(complaint.field, []).append(complaint.message)
    return Invalid(found[0].message, code=sole_code(found), fields=fields)


def _unknown(name: str, known: Sequence[str]) -> str:
    name = name[:_NAME_LENGTH]
    return f'{_UNKNOWN} "{name}"{did_you_mean(name, known)}'


def _flatten(messages: Any, path: tuple[str, ...], *, whole: str) -> Iterator[Complaint]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            deeper = path if name == _WHOLE else (*path, str(name))
            yield from _flatten(inner, deeper, whole=whole)
        return
    field = ".".join(part[:_NAME_LENGTH] for part in path)
    for message in messages:
        code = message.code if isinstance(message, _CodedMessage) else None
        yield Complaint(field, _sentence(field or whole, str(message)), code)


def _sentence(subject: str, message: str) -> str:
    text = message.rstrip(".")
    for stock, ours in _STOCK.items():
        if text.startswith(stock):
            text = ours + text[len(stock) :]
            break
    return f"{subject} {text}" if text.startswith(_STARTS) else text


_STOCK = {
    "Missing data for required field": "is required",
    "Field may not be null": "cannot be null",
    "Invalid input type": "must be a JSON object",
    "Not a valid string": "must be a string",
    "Not a valid integer": "must be an integer",
    "Not a valid number": "must be a number",
    "Not a valid boolean": "must be true or false",
    "Not a valid list": "must be a list",
    "Not a valid mapping type": "must be a JSON object",
    "Not a valid": "is not a valid",
    "Must be ": "must be ",
    "Longer than": "is longer than the",
    "Shorter than": "is shorter than the",
    "Length must be": "length must be",
}


def _harden(field: fields.Field[Any]) -> None:
    # A bound field is a shallow copy of the declared one: its lists must be replaced, not changed.
    match field:
        case fields.Boolean():
            field.pre_load = [_only_booleans, *field.pre_load]
        case fields.Integer():
            field.strict = True
            if not any(isinstance(check, validate.Range) for check in field.validators):
                field.validators = [*field.validators, _COLUMN_RANGE]
        case fields.Float() | fields.Decimal():
            field.pre_load = [_only_numbers, *field.pre_load]
        case fields.List():
            _harden(field.inner)
        case fields.Dict():
            for inner in (field.key_field, field.value_field):
                if inner is not None:
                    _harden(inner)


_COLUMN_RANGE = validate.Range(min=-LARGEST_INTEGER - 1, max=LARGEST_INTEGER)


def _only_booleans(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    raise ValidationError("must be true or false")


def _only_numbers(value: Any) -> Any:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValidationError("must be a number")
