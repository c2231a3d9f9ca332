"""JSON as the API reads and writes it.

Read: RFC 8259, refusing all that parsers are known to disagree about (I-JSON, RFC 7493).
Written: compact UTF-8, integers exact however large.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import orjson

from ipcraft.errors import Invalid

MAXIMUM_DEPTH = 32
"""How deep arrays and objects may be nested."""

_MAXIMUM_DIGITS = 100
_ESCAPE = "\\u"
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(body: bytes) -> Any:
    """Parse a JSON text and give its value.

    Raises `Invalid` (code ``malformed_json``) for what is no JSON, and for what is JSON but
    dangerous: a key given twice, an integer of more than 100 digits, a number that no double
    holds, a NUL or a lone surrogate in a string or key, nesting deeper than 32.
    """
    text = _decode(body)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")
        raise _malformed(
            f"The body is not valid JSON: {what} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    # PERF: only a text with this many brackets can be nested too deep, and only an escape
    # can smuggle in a NUL or a lone surrogate; most bodies are not walked.
    if body.count(b"[") + body.count(b"{") > MAXIMUM_DEPTH:
        _check_depth(value)
    if _ESCAPE in text:
        _check_strings(value)
    return value


def dumps(value: Any) -> bytes:
    """Write a value as JSON."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # orjson ends at 64 bits; an IPv6 subnet has more addresses than that.
        return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()


def _malformed(message: str) -> Invalid:
    return Invalid(message, code="malformed_json")


def _too_deep() -> Invalid:
    return _malformed(f"The body is nested deeper than {MAXIMUM_DEPTH} levels")


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise _malformed(
            f"The body is not valid UTF-8: byte {error.start + 1} cannot be decoded"
        ) from error


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAXIMUM_DEPTH):
        level = [item for parent in level for item in _children(parent) if _is_container(item)]
        if not level:
            return
    raise _too_deep()


def _check_strings(value: Any) -> None:
    for item in _children(value):
        _check_strings(item)
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key in value:
            _check_text(key)


def _is_container(value: Any) -> bool:
    return isinstance(value, dict | list)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise _malformed("The body has a NUL character in a string")
    if _SURROGATE.search(text):
        raise _malformed("The body has a lone surrogate in a string")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _malformed(f"The body has the key {_shown(twice)} twice in one object")
    return members


def _shown(text: str) -> str:
    return json.dumps(text if len(text) <= 64 else f"{text[:63]}…", ensure_ascii=False)


def _integer(digits: str) -> int:
    # APPSEC: reading n digits takes n squared. Schemas say which integers they take.
    if len(digits) > _MAXIMUM_DIGITS:
        raise _malformed(f"The body has an integer of more than {_MAXIMUM_DIGITS} digits")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _malformed("The body has a number that is too large")
    return number


def _constant(name: str) -> NoReturn:
    raise _malformed(f"The body is not valid JSON: {name} is no JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)
