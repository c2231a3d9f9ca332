"""Identifiers: TypeIDs, each later than the last."""

from __future__ import annotations

import pytest
from typeid import TypeID
from typeid.core.errors import PrefixValidationException

from ipcraft.ids import is_id, new_id


def test_an_identifier_is_a_typeid() -> None:
    """Any library reads it, and what it holds is a UUID of version 7."""
    made = new_id("sub")
    read = TypeID.from_string(made)
    assert (read.prefix, str(read)) == ("sub", made)
    assert read.uuid.version == 7
    assert is_id(made, "sub")
    assert not is_id(made, "addr")


def test_later_ones_sort_after_earlier_ones() -> None:
    """So lists by id are lists by time."""
    made = [new_id("addr") for _ in range(1_000)]
    assert made == sorted(set(made))


@pytest.mark.parametrize("prefix", ["Sub", "sub_", "_sub", "s-b", "s" * 64])
def test_what_is_no_prefix_makes_no_identifier(prefix: str) -> None:
    """Whoever writes a plugin learns it at once, not when the first one is read."""
    with pytest.raises(PrefixValidationException):
        new_id(prefix)
