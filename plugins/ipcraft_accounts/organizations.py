"""Organizations: the tenants. Each is made together with its first owner."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import insert, or_, select, update

from ipcraft.plugin import (
    Application,
    Change,
    Conflict,
    Invalid,
    NotFound,
    Statement,
    Storage,
    Transaction,
    given,
    new_id,
    own,
)
from ipcraft_accounts.tables import organizations
from ipcraft_accounts.users import User, add_user, default_name, normalize_email, refuse_taken

LONGEST_NAME = 255
"""Characters of an organization's name."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Hold one organization."""

    id: str
    name: str
    plan: str
    created_at: int
    """Seconds since the epoch."""


_COLUMNS = (
    organizations.c.organization_id,
    organizations.c.name,
    organizations.c.plan,
    organizations.c.created_at,
)
_ALL = select(*_COLUMNS).order_by(organizations.c.organization_id)
_INSERT = Statement(insert(organizations))
_LIST = Statement(_ALL, Organization)
_IS_OWN = organizations.c.organization_id == own()
_OWN = Statement(select(*_COLUMNS).where(_IS_OWN), Organization)
_RENAME = Statement(update(organizations).where(_IS_OWN).values(name=given("new_name")))
_ONE_TO_CHANGE = Statement(select(*_COLUMNS).where(_IS_OWN).with_for_update(), Organization)
_PLAN = Statement(select(organizations.c.plan).where(_IS_OWN), str)
_SET_PLAN = Statement(update(organizations).where(_IS_OWN).values(plan=given("new_plan")))
_CALLED = Statement(
    _ALL.where(
        or_(organizations.c.organization_id == given("text"), organizations.c.name == given("text"))
    ),
    Organization,
)


def create_organization(
    storage: Storage,
    *,
    name: str,
    owner_email: str,
    plan: str = "enterprise",
    owner_name: str | None = None,
) -> tuple[Organization, User]:
    """Make an organization and its owner, in one transaction.

    Without a name the owner is called by the part of the address before the ``@``. Raises
    `Invalid` for a name that is empty or too long, and an address that is none or belongs to a
    user already. Which plans there are, a plugin says.
    """
    email = normalize_email(owner_email)
    refuse_taken(storage, email)
    try:
        return found_organization(
            storage, name=name, owner_email=email, owner_name=owner_name, plan=plan
        )
    except Conflict:
        refuse_taken(storage, email)  # somebody took the address at the same moment
        raise


def found_organization(
    storage: Storage, *, name: str, owner_email: str, owner_name: str | None, plan: str
) -> tuple[Organization, User]:
    """Make an organization and its owner, whose address is in its stored form.

    Raises `Conflict` when the address belongs to a user already.
    """
    name = _checked_name(name)
    organization_id = new_id("org")

    def work(tx: Transaction) -> tuple[Organization, User]:
        organization = Organization(organization_id, name, plan, tx.now)
        _add(tx, organization)
        return organization, add_user(
            tx, email=owner_email, name=owner_name or default_name(owner_email), role="owner"
        )

    return storage.transact(organization_id, work)


def find_organization(storage: Storage, text: str) -> Organization:
    """Find an organization by its id or its name, among all.

    Raises `NotFound`, and `Invalid` when several have the name.
    """
    with storage.read_system() as tx:
        found = tx.all(_CALLED, text=text)
    if not found:
        raise NotFound(f"no organization has the name or id {text!r}")
    if len(found) > 1:
        ids = ", ".join(organization.id for organization in found)
        raise Invalid(f"{len(found)} organizations are called {text!r}, name one by its id: {ids}")
    return found[0]


def list_organizations(storage: Storage) -> list[Organization]:
    """Give every organization, the oldest first."""
    with storage.read_system() as tx:
        return tx.all(_LIST)


def change_plan(tx: Transaction, plan: str) -> Organization:
    """Give the transaction's organization another plan; nothing happens where it is the same.

    Which plans there are, a plugin says. Raises `NotFound`.
    """
    organization = _found(tx.one(_ONE_TO_CHANGE))
    if organization.plan == plan:
        return organization
    tx.record(
        Change(
            type="organization.updated",
            resource_id=organization.id,
            label=organization.name,
            details=f"Changed the plan from {organization.plan} to {plan}",
            data={"plan": plan},
            before={"plan": organization.plan},
        )
    )
    tx.write(_SET_PLAN, new_plan=plan)
    return replace(organization, plan=plan)


def plan_name(tx: Transaction) -> str:
    """Give the name of the plan of the transaction's organization. Raises `NotFound`."""
    return _existing(tx.one(_PLAN))


def plan_name_of(storage: Storage, organization_id: str) -> str:
    """Give the name of an organization's plan, in no transaction. Raises `NotFound`."""
    return _existing(storage.look_up(_PLAN, organization_id=organization_id))


def _existing(plan: str | None) -> str:
    if plan is None:
        raise NotFound("the organization does not exist any more")
    return plan


def get_organization(tx: Transaction) -> Organization:
    """Give the transaction's organization. Raises `NotFound`."""
    return _found(tx.one(_OWN))


def _found(organization: Organization | None) -> Organization:
    if organization is None:
        raise NotFound("The organization does not exist any more")
    return organization


def rename_organization(tx: Transaction, name: str) -> Organization:
    """Give the transaction's organization another name."""
    old = _found(tx.one(_ONE_TO_CHANGE))
    if old.name == name:
        return old
    organization = replace(old, name=name)
    tx.record(
        Change(
            type="organization.updated",
            resource_id=organization.id,
            label=name,
            details=f"Renamed organization {old.name} to {name}",
            data={"name": name},
            before={"name": old.name},
        )
    )
    tx.write(_RENAME, new_name=name)
    return organization


def delete_organization(tx: Transaction, app: Application, *, confirmed: str) -> None:
    """Delete the transaction's organization and every row that any plugin has of it.

    Raises `Invalid` unless `confirmed` is its name.
    """
    organization = get_organization(tx)
    if confirmed != organization.name:
        raise Invalid.field(
            "name",
            f"name must be that of the organization, {organization.name!r}, to confirm",
            code="not_confirmed",
        )
    tx.record(
        Change(
            type="organization.deleted",
            resource_id=organization.id,
            label=organization.name,
            details=f"Deleted organization {organization.name}",
            before={"name": organization.name, "plan": organization.plan},
        )
    )
    # The plugins hear of it while everything is there; its own event goes with the rest.
    tx.settle()
    app.erase(tx)


def _add(tx: Transaction, organization: Organization) -> None:
    tx.record(
        Change(
            type="organization.created",
            resource_id=organization.id,
            label=organization.name,
            details=f"Created organization {organization.name}",
            data={"name": organization.name, "plan": organization.plan},
        )
    )
    tx.write(_INSERT, name=organization.name, plan=organization.plan, created_at=tx.now)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid.field("name", f"name must have 1 to {LONGEST_NAME} characters")
    return name
