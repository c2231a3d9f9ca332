"""What each role may do."""

from __future__ import annotations

import pytest

from ipcraft_accounts.roles import ROLES, exceeds, may

ACTIONS = ("read", "write", "manage", "own")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("viewer", ("read",)),
        ("editor", ("read", "write")),
        ("admin", ("read", "write", "manage")),
        ("owner", ("read", "write", "manage", "own")),
    ],
)
def test_a_role_allows_its_actions_and_no_others(role: str, allowed: tuple[str, ...]) -> None:
    """Each role adds one action to those of the role below."""
    assert tuple(action for action in ACTIONS if may(role, action)) == allowed


@pytest.mark.parametrize("role", ["", "root", "Owner"])
def test_an_unknown_role_allows_nothing(role: str) -> None:
    """A role nobody defined is refused everything."""
    assert not any(may(role, action) for action in ACTIONS)


def test_an_unknown_action_is_refused() -> None:
    """Even an owner may not do what no role names."""
    assert not may("owner", "destroy")


def test_a_role_exceeds_exactly_the_lower_ones() -> None:
    """Roles are in one order, and none exceeds itself."""
    for rank, role in enumerate(ROLES):
        assert [exceeds(role, other) for other in ROLES] == [n < rank for n in range(len(ROLES))]
