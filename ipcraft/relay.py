"""The hooks that run with requests, typed; a call costs next to nothing when nobody implements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ipcraft.contributions import NO_PLAN

if TYPE_CHECKING:
    from ipcraft.app import Application
    from ipcraft.contributions import Identity, Plan
    from ipcraft.data.transactions import Transaction
    from ipcraft.events.changes import Change


@dataclass(frozen=True, slots=True)
class Relay:
    """Call the plugins' functions in their order, each taking all of its hook's arguments."""

    authorizers: tuple[Callable[[Identity, str, str, Application | None], object], ...] = ()
    plans: tuple[
        Callable[[str, str | None, Transaction | None, Application | None], Plan | None], ...
    ] = ()
    before: tuple[Callable[[Change, Transaction, Application | None], object], ...] = ()
    after: tuple[Callable[[Change, Transaction, Application | None], object], ...] = ()
    app: Application | None = None
    """What the hooks get as their application."""

    def within(self, app: Application) -> Relay:
        """Give this relay for the requests and transactions of an application."""
        return replace(self, app=app)

    def authorize(self, identity: Identity, action: str, target: str) -> bool:
        """Tell whether no plugin refuses. An answer other than True and None refuses."""
        for ask in self.authorizers:
            answer = ask(identity, action, target, self.app)
            if answer is not None and answer is not True:
                return False
        return True

    def plan(self, organization_id: str, *, name: str | None, tx: Transaction | None) -> Plan:
        """Give the organization's plan: the first plugin's that knows it.

        Raises LookupError when there are plugins that give plans and none of them knows.
        """
        for find in self.plans:
            plan = find(organization_id, name, tx, self.app)
            if plan is not None:
                return plan
        if self.plans:
            raise LookupError(f"no plugin gives the plan {name!r} of {organization_id}")
        return NO_PLAN

    def before_change(self, change: Change, tx: Transaction) -> None:
        """Let the plugins veto a change; their `RequestError` passes through."""
        for look in self.before:
            look(change, tx, self.app)

    def after_change(self, change: Change, tx: Transaction) -> None:
        """Let the plugins add to a change."""
        for add in self.after:
            add(change, tx, self.app)
