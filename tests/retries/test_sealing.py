"""Answers are opened by nobody but who asked, and only as they were sealed."""

from __future__ import annotations

import pytest

from ipcraft.answers.sealing import Answer, SealBroken, seal, secret_for, unseal

OWNER = b"org_one"
SECRET = secret_for(b"an installation's key", "a client's key")


@pytest.mark.parametrize("body", [b"", b'{"id": "sec_1"}', b"[0]" * 5_000])
def test_an_answer_is_opened_as_it_was(body: bytes) -> None:
    """Short ones as long ones, which are compressed."""
    answer = Answer(201, {"location": "/api/v1/sections/sec_1"}, body)
    assert unseal(seal(answer, secret=SECRET, owner=OWNER), secret=SECRET, owner=OWNER) == answer


def test_a_changed_answer_is_not_opened() -> None:
    """Whichever byte it is, be it the version's; nor what is too short."""
    sealed = seal(Answer(201, {}, b"{}"), secret=SECRET, owner=OWNER)
    changed = [
        sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        for place in range(len(sealed))
    ]
    for broken in (*changed, sealed[:20], sealed[:5], b""):
        with pytest.raises(SealBroken):
            unseal(broken, secret=SECRET, owner=OWNER)


@pytest.mark.parametrize(
    ("secret", "owner"),
    [
        (SECRET, b"org_two"),
        (secret_for(b"an installation's key", "another client's key"), OWNER),
        (secret_for(b"another installation's key", "a client's key"), OWNER),
    ],
)
def test_others_open_nothing(secret: bytes, owner: bytes) -> None:
    """Neither another organization nor another key, be it the client's or ours."""
    sealed = seal(Answer(201, {}, b"{}"), secret=SECRET, owner=OWNER)
    with pytest.raises(SealBroken):
        unseal(sealed, secret=secret, owner=owner)
