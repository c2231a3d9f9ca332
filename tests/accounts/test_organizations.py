"""Making and finding organizations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from ipcraft.plugin import Application, Invalid, NotFound, Statement, events, is_id, own
from ipcraft_accounts import (
    create_organization,
    find_organization,
    find_owner,
    list_organizations,
)


def test_an_organization_is_made_with_its_owner(application: Application) -> None:
    """The organization and its first user are there together, the user as owner."""
    organization, user = create_organization(
        application.storage, name=" Acme ", owner_email="Ada@Example.COM", plan="teams"
    )
    assert is_id(organization.id, "org")
    assert (organization.name, organization.plan) == ("Acme", "teams")
    assert is_id(user.id, "usr")
    assert (user.email, user.name, user.role) == ("ada@example.com", "ada", "owner")
    with application.storage.read(organization.id) as tx:
        assert find_owner(tx) == user


def test_a_new_organization_is_without_limits(application: Application) -> None:
    """The plan that nobody named is enterprise."""
    organization, _ = create_organization(
        application.storage, name="Acme", owner_email="ada@example.com"
    )
    assert organization.plan == "enterprise"


def test_what_is_made_is_recorded(application: Application) -> None:
    """The organization and the user leave one event each, in the same transaction."""
    organization, user = create_organization(
        application.storage, name="Acme", owner_email="ada@example.com"
    )
    recorded = Statement(
        select(events.c.type, events.c.resource_id)
        .where(events.c.organization_id == own())
        .order_by(events.c.id)
    )
    with application.storage.read(organization.id) as tx:
        assert tx.all(recorded) == [
            ("organization.created", organization.id),
            ("user.created", user.id),
        ]


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@example.com", "a da@example.com", f"{'a' * 250}@example.com"]
)
def test_what_is_no_address_is_refused(application: Application, email: str) -> None:
    """An owner needs an email address; nothing is made without."""
    with pytest.raises(Invalid) as refused:
        create_organization(application.storage, name="Acme", owner_email=email)
    assert "email" in (refused.value.fields or {})
    assert list_organizations(application.storage) == []


def test_an_address_belongs_to_one_user_of_all_organizations(application: Application) -> None:
    """The same address, however it is written, makes no second user anywhere."""
    create_organization(application.storage, name="Acme", owner_email="ada@example.com")
    with pytest.raises(Invalid, match=r"ada@example\.com belongs to a user already") as refused:
        create_organization(application.storage, name="Other", owner_email="ADA@example.com")
    assert refused.value.code == "email_taken"
    assert [each.name for each in list_organizations(application.storage)] == ["Acme"]


def test_of_two_at_the_same_moment_one_gets_the_address(application: Application) -> None:
    """The loser of a race is told what one who came later is told."""

    def make(name: str) -> str:
        try:
            create_organization(application.storage, name=name, owner_email="ada@example.com")
        except Invalid as error:
            return error.code
        return "made"

    with ThreadPoolExecutor(4) as threads:
        outcomes = sorted(threads.map(make, ["A", "B", "C", "D"]))
    assert outcomes == ["email_taken", "email_taken", "email_taken", "made"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 256])
def test_an_organization_needs_a_name(application: Application, name: str) -> None:
    """A name has 1 to 255 characters."""
    with pytest.raises(Invalid) as refused:
        create_organization(application.storage, name=name, owner_email="ada@example.com")
    assert "name" in (refused.value.fields or {})


def test_an_unknown_plan_is_refused(application: Application) -> None:
    """The refusal names the plans there are."""
    with pytest.raises(Invalid, match="free, pro, teams, enterprise, not 'gold'"):
        create_organization(
            application.storage, name="Acme", owner_email="ada@example.com", plan="gold"
        )


def test_an_organization_is_found_by_its_name_and_its_id(application: Application) -> None:
    """Either names it; a part of the name does not."""
    made, _ = create_organization(application.storage, name="Acme", owner_email="a@example.com")
    create_organization(application.storage, name="Acme West", owner_email="b@example.com")
    assert find_organization(application.storage, "Acme") == made
    assert find_organization(application.storage, made.id) == made
    with pytest.raises(NotFound, match="'Acm'"):
        find_organization(application.storage, "Acm")


def test_an_ambiguous_name_is_refused_with_the_ids(application: Application) -> None:
    """Names are not unique; the refusal says by which ids to tell them apart."""
    first, _ = create_organization(application.storage, name="Acme", owner_email="a@example.com")
    second, _ = create_organization(application.storage, name="Acme", owner_email="b@example.com")
    with pytest.raises(Invalid, match=f"{first.id}, {second.id}"):
        find_organization(application.storage, "Acme")


def test_organizations_are_listed_in_the_order_they_were_made(application: Application) -> None:
    """The oldest comes first."""
    made = [
        create_organization(application.storage, name=name, owner_email=f"{name}@example.com")[0]
        for name in ("c", "a", "b")
    ]
    assert list_organizations(application.storage) == made


def test_an_organization_has_its_own_owner(application: Application) -> None:
    """Each organization finds its own people, nobody else's."""
    for email in ("a@example.com", "b@example.com"):
        made, user = create_organization(application.storage, name="Acme", owner_email=email)
        with application.storage.read(made.id) as tx:
            assert find_owner(tx) == user
