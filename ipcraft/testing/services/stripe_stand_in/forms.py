"""Forms as Stripe reads them: ``line_items[0][price]=price_1`` is an entry in a tree.

Source: https://docs.stripe.com/api (the request body is form-encoded, nested with brackets)
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from ipcraft.testing.services.stripe_stand_in.refusals import Refusal, bad

_KEY = re.compile(r"(?P<name>[a-z_0-9]+)(?P<rest>(\[[A-Za-z0-9_.-]*\])*)")
_PART = re.compile(r"\[([A-Za-z0-9_.-]*)\]")


def read_form(text: str) -> dict[str, Any]:
    """Give the tree of a form or of a query: texts, with lists where the keys count from 0."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict")
    except ValueError as error:
        raise Refusal(f"Invalid form: {error}") from error
    tree: dict[str, Any] = {}
    for key, value in pairs:
        _put(tree, key, value)
    return {name: _with_lists(value) for name, value in tree.items()}


def _put(tree: dict[str, Any], key: str, value: str) -> None:
    match = _KEY.fullmatch(key)
    if match is None:
        raise bad(key, f"Invalid parameter name: {key}")
    path = [match["name"], *_PART.findall(match["rest"])]
    place = tree
    for part in path[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise bad(key, f"Invalid parameter: {key} is both a value and an object")
    last = path[-1] or str(len(place))
    if last in place:
        raise bad(key, f"Invalid parameter: {key} is given twice")
    place[last] = value


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _with_lists(each) for name, each in value.items()}
    if list(inner) == [str(number) for number in range(len(inner))]:
        return list(inner.values())
    return inner
