"""The text that a record is found by: its fields folded, each between marks of its own.

A field is written as its tag, `START`, the folded text, `END`, its tag. So one LIKE pattern asks
whether any field, or one of them, equals, begins with or contains a text, alike in both databases.
The marks are control characters, which no folded text has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

START, END = "\x01", "\x02"
TAGS: Mapping[str, str] = {
    "name": "\x0e",
    "hostname": "\x0f",
    "owner": "\x10",
    "description": "\x11",
    "status": "\x12",
    "number": "\x13",
    "rd": "\x14",
}
"""The fields that have text, and what each is written between."""

DEFAULT_STATUS = "active"
"""The status that is not written: most addresses have it, many of them and no text at all."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def fold(text: str) -> str:
    """Give a text as it is compared: without regard to case, width and composition.

    Control characters become spaces. Source: Unicode Standard Annex #15 and caseless matching
    (section 3.13 of the standard).
    """
    if text.isascii():
        folded = text.lower()
    else:
        caseless = unicodedata.normalize("NFKC", text).casefold()
        folded = unicodedata.normalize("NFKC", caseless)
    return _CONTROL.sub(" ", folded)


def address_text(
    *, hostname: str | None, owner: str | None, description: str | None, status: str
) -> str | None:
    """Give the text of an address; None when there is nothing but the default status."""
    written = None if status == DEFAULT_STATUS else status
    return _text(hostname=hostname, owner=owner, description=description, status=written)


def subnet_text(*, name: str | None, description: str | None) -> str | None:
    """Give the text of a subnet, or None."""
    return _text(name=name, description=description)


def register_text(fields: Mapping[str, Any]) -> str:
    """Give the text of a VRF, a VLAN or a folder; fields that are not searched are left out."""
    texts = {name: fields[name] for name in TAGS if fields.get(name) is not None}
    return _text(**{name: str(value) for name, value in texts.items()}) or ""


def _text(**fields: str | None) -> str | None:
    marked = [_marked(TAGS[name], text) for name, text in fields.items() if text]
    return "".join(marked) or None


def _marked(tag: str, text: str) -> str:
    return f"{tag}{START}{fold(text)}{END}{tag}"
