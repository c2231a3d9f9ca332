"""Roles: what each may do, from looking to owning."""

from __future__ import annotations

from collections.abc import Mapping

from ipcraft.plugin import Forbidden, Invalid

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


def roles_above(role: str) -> tuple[str, ...]:
    """Give the roles that may do more than this one, the lowest first."""
    return tuple(other for other in ROLES if exceeds(other, role))


def check_role(role: str) -> None:
    """Raise `Invalid` for a role that nobody defined."""
    if role not in ROLES:
        raise Invalid.field("role", f"role must be one of {', '.join(ROLES)}, not {role!r}")


def refuse_higher(role: str, own_role: str) -> None:
    """Raise `Forbidden` for a role that one's own does not reach."""
    if exceeds(role, own_role):
        raise Forbidden(f"The role {role} is more than your own, {own_role}")
