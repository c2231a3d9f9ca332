"""Identifiers: TypeID strings, a prefix and the base32 of a UUIDv7 (https://github.com/jetify-com/typeid)."""

from __future__ import annotations

import re
from functools import cache

from typeid import TypeID
from typeid.codecs import base32
from uuid_utils import uuid7

_SUFFIX = "[0-7][0-9a-hjkmnp-tv-z]{25}"


def new_id(prefix: str) -> str:
    """Make an identifier such as ``sub_01jx...``; later ones sort after earlier ones.

    Raises typeid's `PrefixValidationException` for what is no prefix.
    """
    # PERF: a `TypeID` would check its prefix each time, and takes eight calls of Python's.
    return f"{_checked(prefix)}_{base32.encode(uuid7().bytes)}"


def is_id(text: str, prefix: str) -> bool:
    """Tell whether the text is a well-formed identifier with the prefix."""
    return _pattern(prefix).fullmatch(text) is not None


def with_prefix(identifier: str, prefix: str) -> str:
    """Give the same UUID under another prefix: an activity entry's id is its event's."""
    return f"{prefix}_{identifier.rpartition('_')[2]}"


@cache
def _checked(prefix: str) -> str:
    return TypeID(prefix).prefix


@cache
def _pattern(prefix: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(prefix)}_{_SUFFIX}")
