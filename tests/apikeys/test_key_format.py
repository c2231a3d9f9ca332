"""The form of a key."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipcraft_apikeys.key_format import is_key, key_hash, new_key

KEY = "ipc_" + "a" * 34
CHARACTERS = string.ascii_letters + string.digits


def test_a_new_key_is_ipc_and_forty_base62_characters() -> None:
    """The form is the contract's, and the checksum is right."""
    key = new_key()
    assert re.fullmatch(r"ipc_[0-9A-Za-z]{40}", key)
    assert is_key(key)


def test_keys_differ() -> None:
    """Keys are random."""
    assert len({new_key() for _ in range(100)}) == 100


def test_the_checksum_is_a_crc32_in_base62() -> None:
    """The last 6 characters are the CRC-32 of the 34 before, digits, capitals, small letters."""
    assert [end for end in ("4B35tI", "000000", "4b35Ti") if is_key(KEY + end)] == ["4B35tI"]


@given(position=st.integers(4, 43), character=st.sampled_from(CHARACTERS))
def test_one_wrong_character_makes_it_no_key(position: int, character: str) -> None:
    """A CRC-32 finds every change of a single character."""
    key = new_key()
    changed = key[:position] + character + key[position + 1 :]
    assert is_key(changed) == (changed == key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ipc_",
        "ipc_" + "a" * 40,
        new_key()[4:],
        new_key() + "\n",
        f" {new_key()}",
        "IPC_" + new_key()[4:],
    ],
)
def test_junk_is_no_key(text: str) -> None:
    """Only the exact form is a key."""
    assert not is_key(text)


def test_what_is_stored_is_a_sha256() -> None:
    """The hash has 32 bytes and is the same each time."""
    assert len(key_hash(KEY)) == 32
    assert key_hash(KEY) == key_hash(KEY)
