"""Bodies: reading what a client sent, strictly, and writing what we answer.

Bodies are JSON, at most 1 MiB. Routes that take a list take up to 10,000 items, and up to
16 MiB when the body is a list: 10,000 addresses with every field filled are about 1.6 MB.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, BinaryIO, Protocol

import falcon
import falcon.media
from marshmallow import ValidationError

from ipcraft.errors import Invalid
from ipcraft.http.errors import BodyTooLarge, LengthRequired, WrongMediaType
from ipcraft.http.json_text import dumps, parse
from ipcraft.http.schemas import Complaint, Schema, complaints, refusal_of, sole_code

MEBIBYTE = 1024 * 1024

BODY_LIMIT = MEBIBYTE
"""Bytes of a body."""

LIST_LIMIT = 16 * MEBIBYTE
"""Bytes of a body that is a list, on a route that takes one."""

MAXIMUM_ITEMS = 10_000
"""Items of a list."""

_CHARSETS = ("", "utf-8", "utf8")
_WHITESPACE = b" \t\r\n"
_MAXIMUM_BAD_ITEMS = 20
_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_body(req: falcon.Request, *, limit: int = BODY_LIMIT) -> bytes:
    """Read the body byte by byte as it was sent, which is what a signature is made over.

    Nothing is asked of its type. Raises `Invalid` and `BodyTooLarge`.
    """
    return _read_body(req, limit=limit, list_limit=0)


def load(
    req: falcon.Request, schema: Schema, *, optional: bool = False, limit: int = BODY_LIMIT
) -> dict[str, Any]:
    """Read the body, an object, through the schema.

    `optional` takes an absent body for ``{}``; `limit` is in bytes. Raises `Invalid`,
    `BodyTooLarge`, `WrongMediaType`.
    """
    return _load_object(_read(req, limit=limit, optional=optional), schema)


def load_many(
    req: falcon.Request, schema: Schema, *, limit: int = LIST_LIMIT
) -> list[dict[str, Any]]:
    """Read the body, a list of objects, through the schema. Errors name the item's index.

    Raises as `load` does.
    """
    value = _read(req, limit=limit, list_limit=limit)
    if not isinstance(value, list):
        raise Invalid(f"The body must be a JSON list, not {_kind(value)}", code="malformed_json")
    return _load_list(value, schema)


def load_one_or_many(
    req: falcon.Request, schema: Schema, *, limit: int = BODY_LIMIT, list_limit: int = LIST_LIMIT
) -> dict[str, Any] | list[dict[str, Any]]:
    """Read the body, an object or a list of objects, through the schema.

    An object may have `limit` bytes, a list `list_limit`. Raises as `load` does.
    """
    value = _read(req, limit=limit, list_limit=list_limit)
    if isinstance(value, list):
        return _load_list(value, schema)
    return _load_object(value, schema)


def save_body(req: falcon.Request, file: BinaryIO, *, limit: int) -> int:
    """Write the body, whatever is in it, into a file, and give its length in bytes.

    For the few routes that take files: a body is written as it comes, in pieces. Raises `Invalid`
    when it breaks off, `BodyTooLarge` above `limit` bytes, at once where it says that it has more,
    and `WrongMediaType` for a Content-Encoding.
    """
    _check_encoding(req)
    length = req.content_length
    if length is not None and length > limit:
        raise _too_large(limit)
    stream = _stream(req, length)
    size = 0
    while part := _read_up_to(stream, MEBIBYTE):
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        file.write(part)
    if length is not None and size < length:
        raise Invalid(f"The body ends after {size} of {length} bytes", code="malformed_body")
    return size


def _load_object(value: Any, schema: Schema) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"The body must be a JSON object, not {_kind(value)}", code="malformed_json")
    try:
        loaded: dict[str, Any] = schema.load(value)
    except ValidationError as error:
        raise refusal_of(error) from error
    return loaded


def _load_list(values: list[Any], schema: Schema) -> list[dict[str, Any]]:
    if len(values) > MAXIMUM_ITEMS:
        raise Invalid(
            f"The list has {len(values)} items; at most {MAXIMUM_ITEMS} are taken at once",
            code="too_many_items",
        )
    loaded: list[dict[str, Any]] = []
    bad: dict[int, list[Complaint]] = {}
    for index, value in enumerate(values):
        try:
            loaded.append(schema.load(value))
        except ValidationError as error:
            bad[index] = complaints(error, whole="it")
            if len(bad) == _MAXIMUM_BAD_ITEMS:
                break
    if bad:
        raise _refused_items(bad)
    return loaded


def _refused_items(bad: dict[int, list[Complaint]]) -> Invalid:
    fields: dict[str, list[str]] = {}
    for index, found in bad.items():
        for complaint in found:
            name = f"{index}.{complaint.field}" if complaint.field else str(index)
            fields.setdefault(name, []).append(complaint.message)
    index, found = next(iter(bad.items()))
    code = sole_code(chain.from_iterable(bad.values()))
    return Invalid(f"item {index}: {found[0].message}", code=code, fields=fields)


def _kind(value: Any) -> str:
    return _KINDS[type(value)]


def _read(req: falcon.Request, *, limit: int, list_limit: int = 0, optional: bool = False) -> Any:
    body = _read_body(req, limit=limit, list_limit=list_limit)
    if body:
        _check_type(req)
        return parse(body)
    if optional:
        return {}
    raise Invalid("The body is empty; JSON is expected", code="malformed_json")


def _check_type(req: falcon.Request) -> None:
    content_type = req.content_type
    if content_type != falcon.MEDIA_JSON and not _is_json(content_type or ""):
        came = f"not {content_type[:100]!r}" if content_type else "and the body came without a type"
        raise WrongMediaType(f"Content-Type must be application/json, {came}")
    _check_encoding(req)


def _check_encoding(req: falcon.Request) -> None:
    encoding = req.get_header("Content-Encoding")
    if encoding is not None and encoding.strip().lower() != "identity":
        raise WrongMediaType(
            f"Content-Encoding {encoding[:100]!r} is not supported; send the body as it is"
        )


def _is_json(content_type: str) -> bool:
    try:
        media_type, parameters = falcon.parse_header(content_type)
    except ValueError:
        return False
    charset = parameters.get("charset", "").lower()
    return media_type.strip().lower() == falcon.MEDIA_JSON and charset in _CHARSETS


def _read_body(req: falcon.Request, *, limit: int, list_limit: int) -> bytes:
    largest = max(limit, list_limit)
    length = req.content_length
    if length is not None and length > largest:
        raise _too_large(largest)
    stream = _stream(req, length)
    body = _read_up_to(stream, limit + 1)
    if len(body) <= limit:
        return body
    if largest == limit or not body.lstrip(_WHITESPACE).startswith(b"["):
        raise _too_large(limit)
    body += _read_up_to(stream, largest + 1 - len(body))
    if len(body) > largest:
        raise _too_large(largest)
    return body


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {limit} bytes")


def _stream(req: falcon.Request, length: int | None) -> _Readable:
    if length is not None or req.get_header("Transfer-Encoding") is None:
        return req.bounded_stream
    # WSGI servers that decode chunked bodies say that their stream ends with the body.
    if req.env.get("wsgi.input_terminated"):
        return req.stream
    raise LengthRequired("The body needs a Content-Length")


def _read_up_to(stream: _Readable, size: int) -> bytes:
    parts = []
    while size > 0:
        try:
            part = stream.read(size)
        except Exception as error:  # each server has its own for a broken body
            raise Invalid(
                "The body could not be read: it ends early or its chunks are malformed",
                code="malformed_body",
            ) from error
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class JSONHandler(falcon.media.BaseHandler):
    """Write answers, and read ``req.media``, under the same rules as `load`."""

    exhaust_stream = False

    def serialize(self, media: object, content_type: str | None = None) -> bytes:
        """Write an answer."""
        return dumps(media)

    def deserialize(
        self, stream: _Readable, content_type: str | None, content_length: int | None
    ) -> object:
        """Read a body of at most 1 MiB."""
        body = _read_up_to(stream, BODY_LIMIT + 1)
        if len(body) > BODY_LIMIT:
            raise _too_large(BODY_LIMIT)
        return parse(body)


class Rendering:
    """Falcon middleware: write the answer while an error can still become an answer.

    Falcon itself writes it after all middleware, and sends an empty 500 when that fails.
    """

    __slots__ = ()

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Write the answer; Falcon keeps it."""
        resp.render_body()
