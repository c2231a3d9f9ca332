"""Conditions: tags of what an answer shows, and requests that hold only for some of them.

Source: RFC 9110, sections 8.8.3 and 13.1. A tag is strong: it is a digest of the bytes of the body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from hashlib import blake2b
from typing import Any

import falcon

from ipcraft.errors import Invalid
from ipcraft.http.errors import PreconditionFailed

MATCH = "If-Match"
"""The header that names what is to be changed."""

NONE_MATCH = "If-None-Match"
"""The header that names what the client has already."""

_OK = 200
_TAG_BYTES = 16
_MOST_TAGS = 100
_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\s*{_TAG}\s*(?:,\s*{_TAG}\s*)*")
_EACH_TAG = re.compile(_TAG)
PATTERN = rf"^\s*(?:\*|{_TAG}\s*(?:,\s*{_TAG}\s*)*)\s*$"
"""What both headers look like, as JSON Schema has it."""

_ANY = "*"
_WEAK = "W/"


def entity_tag(resp: falcon.Response) -> str | None:
    """Give the tag of an answer, set on it already or of its body; lists and streams have none."""
    tag = resp.get_header("ETag")
    if tag is not None or not isinstance(resp.media, Mapping):
        return tag
    body = resp.render_body()
    return None if body is None else f'"{blake2b(body, digest_size=_TAG_BYTES).hexdigest()}"'


def tagged(responder: Callable[..., None]) -> Callable[..., None]:
    """Have the answers of a GET tagged, and not sent again to who has them already."""

    @wraps(responder)
    def show(req: falcon.Request, resp: falcon.Response, **params: Any) -> None:
        responder(req, resp, **params)
        tag = entity_tag(resp) if resp.status_code == _OK else None
        if tag is not None:
            resp.set_header("ETag", tag)
        conditions = Conditions.of(req.env)
        if conditions is not None:
            conditions.require(tag)
            if conditions.is_known(tag):
                resp.status = falcon.HTTP_304
                resp.text = resp.data = resp.media = None
                resp.delete_header("Content-Type")

    return show


@dataclass(frozen=True, slots=True)
class Conditions:
    """Hold the tags of ``If-Match`` and ``If-None-Match``, as sent; None where there is none."""

    match: tuple[str, ...] | None
    none_match: tuple[str, ...] | None

    @classmethod
    def of(cls, env: Mapping[str, Any]) -> Conditions | None:
        """Read them of a WSGI environment; None where the request has neither. Raises `Invalid`."""
        match, none_match = env.get("HTTP_IF_MATCH"), env.get("HTTP_IF_NONE_MATCH")
        if match is None and none_match is None:
            return None
        return cls(_tags(match, header=MATCH), _tags(none_match, header=NONE_MATCH))

    def check(self, tag: str | None) -> None:
        """Raise `PreconditionFailed` when what has this tag, or none, may not be changed."""
        self.require(tag)
        if self.is_known(tag):
            raise PreconditionFailed(
                f"{NONE_MATCH} forbids this: the resource is there, with one of these tags"
            )

    def require(self, tag: str | None) -> None:
        """Raise `PreconditionFailed` when ``If-Match`` names something else than this tag."""
        if self.match is None or self.match == (_ANY,):
            return
        if tag is None:
            raise PreconditionFailed(f"{MATCH} cannot be met: what is at this path has no ETag")
        # Weak tags match nothing here (RFC 9110, section 13.1.1).
        if tag not in self.match or tag.startswith(_WEAK):
            raise PreconditionFailed(
                "The resource was changed since you read it: read it again, "
                "and send the ETag that comes with it as If-Match"
            )

    def is_known(self, tag: str | None) -> bool:
        """Tell whether ``If-None-Match`` names this tag, weak or strong."""
        if self.none_match is None or tag is None:
            return False
        opaque = tag.removeprefix(_WEAK)
        return self.none_match == (_ANY,) or opaque in (
            each.removeprefix(_WEAK) for each in self.none_match
        )


def _tags(text: str | None, *, header: str) -> tuple[str, ...] | None:
    if text is None:
        return None
    if text.strip() == _ANY:
        return (_ANY,)
    found = tuple(_EACH_TAG.findall(text)) if _TAGS.fullmatch(text) else ()
    if not 0 < len(found) <= _MOST_TAGS:
        raise Invalid(
            f"{header} must be * or at most {_MOST_TAGS} tags in quotes, as ETag gave them",
            code="malformed_tag",
        )
    return found
