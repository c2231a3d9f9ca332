"""Secrets as the database keeps them."""

from __future__ import annotations

import pytest

from ipcraft_webhooks.sealing import Seal, SealBroken
from ipcraft_webhooks.signing import new_secret

SECRET = new_secret()


def seal(key: bytes = b"k" * 32) -> Seal:
    """Make a seal of a key."""
    return Seal(lambda: key)


def test_a_sealed_secret_is_opened() -> None:
    """What is sealed with a key is opened with it, also by another process."""
    sealed = seal().close(SECRET, webhook_id="wh_1")
    assert seal().open(sealed, webhook_id="wh_1") == SECRET
    assert SECRET.encode() not in sealed
    assert SECRET[6:].encode() not in sealed


def test_no_two_seals_are_alike() -> None:
    """The same secret is encrypted anew each time."""
    one = seal()
    assert one.close(SECRET, webhook_id="wh_1") != one.close(SECRET, webhook_id="wh_1")


def test_a_seal_needs_its_key() -> None:
    """With another key the secret stays closed, and the error says what to do."""
    sealed = seal().close(SECRET, webhook_id="wh_1")
    with pytest.raises(SealBroken, match="rotate the secret"):
        seal(b"other" + b"k" * 27).open(sealed, webhook_id="wh_1")


def test_a_seal_belongs_to_its_webhook() -> None:
    """In the row of another webhook it cannot be opened, even by who opened it before."""
    one = seal()
    sealed = one.close(SECRET, webhook_id="wh_1")
    assert one.open(sealed, webhook_id="wh_1") == SECRET
    with pytest.raises(SealBroken):
        one.open(sealed, webhook_id="wh_2")


@pytest.mark.parametrize("place", [0, 1, 12, 13, 40, -1])
def test_an_altered_seal_is_broken(place: int) -> None:
    """Whatever byte is changed, nothing is opened."""
    sealed = bytearray(seal().close(SECRET, webhook_id="wh_1"))
    sealed[place] ^= 1
    with pytest.raises(SealBroken):
        seal().open(bytes(sealed), webhook_id="wh_1")


@pytest.mark.parametrize("length", [0, 1, 13, 20])
def test_a_shortened_seal_is_broken(length: int) -> None:
    """What is too short to be a seal is none."""
    with pytest.raises(SealBroken):
        seal().open(seal().close(SECRET, webhook_id="wh_1")[:length], webhook_id="wh_1")
