"""An organization with a user of each role, their browsers, and the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client, Clock, make_application, make_session
from ipcraft_accounts import Member, create_organization, create_user, find_member

NOON = 1_772_366_400

Sign = Callable[[str], Client]
"""Sign the user of an address in, and give the browser."""


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock(NOON)


@pytest.fixture
def application(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give the application of the built-in plugins at a time that tests set."""
    app = make_application(database_url, clock=clock)
    yield app
    app.close()


@pytest.fixture
def ada(application: Application) -> Member:
    """Make an organization and its owner."""
    return Member(
        *create_organization(
            application.storage,
            name="Acme",
            owner_email="ada@example.com",
            owner_name="Ada Lovelace",
            plan="teams",
        )
    )


@pytest.fixture
def sign_in(application: Application) -> Sign:
    """Give a way to sign users in."""
    return lambda email: Client(application, session=make_session(application, email))


@pytest.fixture
def browser(ada: Member, sign_in: Sign) -> Client:
    """Give the owner's browser."""
    return sign_in(ada.user.email)


@pytest.fixture
def add(application: Application, ada: Member) -> Callable[[str], Member]:
    """Give a way to add users to the owner's organization, each called after the role."""

    def add(role: str, *, email: str = "") -> Member:
        email = email or f"{role}@example.com"
        create_user(application.storage, ada.organization.id, email=email, role=role)
        member = find_member(application.storage, email)
        assert member is not None
        return member

    return add
