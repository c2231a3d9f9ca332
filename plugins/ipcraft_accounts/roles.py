"""Roles: what each may do, from looking to owning."""

from __future__ import annotations

from collections.abc import Mapping

ROLES = ("viewer", "editor", "admin", "owner")
"""Every role, the lowest first."""

_ACTIONS: Mapping[str, frozenset[str]] = {
    "viewer": frozenset({"read"}),
    "editor": frozenset({"read", "write"}),
    "admin": frozenset({"read", "write", "manage"}),
    "owner": frozenset({"read", "write", "manage", "own"}),
}
_NOTHING: frozenset[str] = frozenset()


def may(role: str, action: str) -> bool:
    """Tell whether the role includes the action; an unknown role includes none."""
    return action in _ACTIONS.get(role, _NOTHING)


def exceeds(role: str, other: str) -> bool:
    """Tell whether a role may do something that the other may not."""
    return bool(_ACTIONS.get(role, _NOTHING) - _ACTIONS.get(other, _NOTHING))
