"""Operations: what a responder takes and gives, declared once, used and documented.

What is declared is what the responder gets: its body is read by the schema that the API's document
shows, and so are the query and the page. What it answers is declared as a type, a TypedDict as a
rule, which the function that shows the resource returns: type checkers hold the two together.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import falcon

from ipcraft.http.lists import MAXIMUM_LIMIT, Page
from ipcraft.http.media import BODY_LIMIT, LIST_LIMIT, load, load_one_or_many
from ipcraft.http.queries import Query
from ipcraft.http.schemas import Schema

Responder = Callable[..., None]

GIVEN = ("query", "page", "body")
"""The arguments that a responder gets by its declaration, if it declares them."""

_MARK = "__ipcraft_operation__"


@dataclass(frozen=True, slots=True)
class Body:
    """Take a JSON body by a schema.

    With `many` a list of such objects is taken too, with `optional` an absent body for ``{}``.
    `limit` and, for a list, `list_limit` are in bytes.
    """

    schema: Schema
    many: bool = field(default=False, kw_only=True)
    optional: bool = field(default=False, kw_only=True)
    limit: int = field(default=BODY_LIMIT, kw_only=True)
    list_limit: int = field(default=LIST_LIMIT, kw_only=True)

    def read(self, req: falcon.Request) -> dict[str, Any] | list[dict[str, Any]]:
        """Read the body. Raises as `load` does."""
        if self.many:
            return load_one_or_many(req, self.schema, limit=self.limit, list_limit=self.list_limit)
        return load(req, self.schema, optional=self.optional, limit=self.limit)


@dataclass(frozen=True, slots=True)
class RawBody:
    """Say what a body is that the responder reads itself: a file, a form, one of several types.

    `content` maps each media type to the schema of what it holds, None for anything.
    """

    content: Mapping[str, Schema | None]
    optional: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Take ``limit`` and ``offset``, as `Page.of` does."""

    default: int | None = None
    maximum: int = MAXIMUM_LIMIT

    def read(self, req: falcon.Request) -> Page:
        """Read the page. Raises `Invalid`."""
        return Page.of(req, default=self.default, maximum=self.maximum)


@dataclass(frozen=True, slots=True)
class Content:
    """Describe an answer of which there is more to say than the type of its JSON.

    `form` is the type of its body, None when there is none. Each further entry of `also` is
    another media type the same answer may have. `headers` maps the headers it has to sentences.
    """

    form: Any = None
    media_type: str = field(default=falcon.MEDIA_JSON, kw_only=True)
    also: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    description: str | None = field(default=None, kw_only=True)
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Hold what is declared of one responder."""

    summary: str
    description: str = ""
    answers: Mapping[int, Any]
    """What each status of success brings: a type, None for no body, or a `Content`."""
    body: Body | RawBody | None = None
    query: Query | None = None
    page: Paging | None = None
    errors: Mapping[int, str] = field(default_factory=dict)
    """What each error means that is the operation's own."""

    def readers(self) -> Iterator[tuple[str, Callable[[falcon.Request], Any]]]:
        """Give the arguments of the responder and what reads each from a request."""
        if self.query is not None:
            yield "query", self.query.read
        if self.page is not None:
            yield "page", self.page.read
        if isinstance(self.body, Body):
            yield "body", self.body.read


def operation(
    *,
    answers: Mapping[int, Any],
    body: Schema | Body | RawBody | None = None,
    query: Query | None = None,
    page: Paging | None = None,
    errors: Mapping[int, str] | None = None,
    summary: str | None = None,
) -> Callable[[Responder], Responder]:
    """Declare what a responder takes and gives.

    What it declares to take it gets as the arguments `query`, `page` and `body`, read and checked.
    The first line of its docstring becomes the summary unless there is another, the rest the
    description.
    `answers` maps each status of success to the type of the answer's JSON, such as a TypedDict or a
    list of them, to None for no body, or to a `Content`. `errors` are the statuses that only
    this operation has. The core adds what is the same everywhere: credentials, ids in the path,
    limits, ids of requests, and the errors that come of them.

    >>> class Folders:
    ...     @operation(body=FolderBody(), answers={201: Folder})
    ...     def on_post(self, req, resp, *, body):
    ...         '''Create a folder.'''
    """

    def declare(responder: Responder) -> Responder:
        first, _, description = inspect.cleandoc(responder.__doc__ or "").partition("\n")
        declared = Operation(
            summary=summary or first,
            description=description.strip(),
            answers=answers,
            body=Body(body) if isinstance(body, Schema) else body,
            query=query,
            page=page,
            errors=errors or {},
        )
        respond = _given(responder, dict(declared.readers()))
        setattr(respond, _MARK, declared)
        return respond

    return declare


def operation_of(responder: Responder) -> Operation | None:
    """Give what is declared of a responder, None where nothing is."""
    return getattr(responder, _MARK, None)


def _given(
    responder: Responder, readers: Mapping[str, Callable[[falcon.Request], Any]]
) -> Responder:
    """Give a responder that reads the arguments first."""
    steps = tuple(readers.items())

    @wraps(responder)
    def respond(*arguments: Any, **params: Any) -> None:
        # Request and response are the last: a class's function has the resource before them.
        req: falcon.Request = arguments[-2]
        for name, read in steps:
            params[name] = read(req)
        responder(*arguments, **params)

    return respond
