"""Who is let in: known people, invited ones, strangers, and those a directory vouches for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipcraft.plugin import Application, Forbidden, Invalid
from ipcraft.testing import Client, Clock, make_application
from ipcraft_accounts import (
    Member,
    admit,
    create_organization,
    find_member,
    list_organizations,
    may_enter,
    provision,
)

Sign = Callable[[str], Client]
Add = Callable[..., Member]
BOB = "bob@example.com"


@pytest.fixture
def hosted(database_url: str, clock: Clock) -> Iterator[Application]:
    """Give an application where sign-up is open."""
    app = make_application(
        database_url, settings={"signup": "open", "default_plan": "free"}, clock=clock
    )
    yield app
    app.close()


@pytest.fixture
def invite(browser: Client) -> Callable[..., str]:
    """Give a way to invite somebody to the owner's organization; the id comes back."""

    def invite(email: str = BOB, role: str = "editor") -> str:
        answer = browser.post("/api/v1/invitations", json={"email": email, "role": role})
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    return invite


def test_a_known_person_is_found(application: Application, ada: Member) -> None:
    """However the address is written; a name told later changes nothing."""
    assert may_enter(application, "ada@example.com")
    assert admit(application, " ADA@example.com ", name="Somebody") == ada


def test_a_stranger_is_refused_where_signup_is_closed(
    application: Application, ada: Member
) -> None:
    """The default; the refusal says what to do."""
    assert not may_enter(application, BOB)
    with pytest.raises(Forbidden, match="ask an admin for an invitation") as refused:
        admit(application, BOB)
    assert refused.value.code == "signup_closed"
    assert list_organizations(application.storage) == [ada.organization]


@pytest.mark.parametrize(
    ("name", "called"),
    [("John Smith", "John Smith"), (" John ", "John"), (None, "bob"), ("", "bob"), ("  ", "bob")],
)
def test_a_stranger_founds_an_organization_where_signup_is_open(
    hosted: Application, name: str | None, called: str
) -> None:
    """As its owner, on the plan of new organizations."""
    assert may_enter(hosted, BOB)
    member = admit(hosted, "Bob@Example.com", name=name)
    assert (member.user.email, member.user.name, member.user.role) == (BOB, called, "owner")
    assert (member.organization.name, member.organization.plan) == (f"{called}'s Org", "free")
    assert admit(hosted, BOB) == member


def test_a_long_name_is_cut(hosted: Application) -> None:
    """It fits, and so does the name of the organization."""
    member = admit(hosted, BOB, name="n" * 300)
    assert len(member.user.name) == 255
    assert member.organization.name == "n" * 249 + "'s Org"


@pytest.mark.parametrize("email", ["", "bob", "bob@", "bob@example.com\r\nBcc: eve@example.com"])
def test_what_is_no_address_is_refused(hosted: Application, email: str) -> None:
    """Neither asked for nor let in."""
    for ask in (may_enter, admit):
        with pytest.raises(Invalid):
            ask(hosted, email)


def test_an_invited_person_joins(
    application: Application, ada: Member, invite: Callable[..., str], browser: Client
) -> None:
    """In the organization and role of the invitation, although sign-up is closed, once."""
    invite(role="editor")
    assert may_enter(application, BOB)
    member = admit(application, BOB, name="Bob")
    assert member.organization == ada.organization
    assert (member.user.name, member.user.role) == ("Bob", "editor")
    assert browser.get("/api/v1/invitations").json == []
    assert admit(application, BOB) == member


def test_an_invitation_comes_before_signup(
    hosted: Application, ada: Member, invite: Callable[..., str]
) -> None:
    """Where both are possible the invited person joins."""
    invite()
    assert admit(hosted, BOB).organization == ada.organization


def test_the_newest_invitation_counts(
    application: Application, ada: Member, invite: Callable[..., str], sign_in: Sign
) -> None:
    """Of two organizations' invitations, the later one."""
    invite(role="admin")
    other, _ = create_organization(application.storage, name="Other", owner_email="eve@example.com")
    theirs = sign_in("eve@example.com")
    theirs.post("/api/v1/invitations", json={"email": BOB, "role": "viewer"})
    member = admit(application, BOB)
    assert (member.organization, member.user.role) == (other, "viewer")


def test_an_invitation_ends_after_7_days(
    application: Application, ada: Member, invite: Callable[..., str], clock: Clock
) -> None:
    """It lets in until the second of its end and not in it."""
    invite("early@example.com")
    invite("late@example.com")
    clock.advance(hours=7 * 24, seconds=-1)
    assert admit(application, "early@example.com").organization == ada.organization
    clock.advance(seconds=1)
    assert not may_enter(application, "late@example.com")
    with pytest.raises(Forbidden):
        admit(application, "late@example.com")


def test_a_withdrawn_invitation_lets_nobody_in(
    application: Application, invite: Callable[..., str], browser: Client
) -> None:
    """Withdrawn is as if never made."""
    browser.delete(f"/api/v1/invitations/{invite()}")
    with pytest.raises(Forbidden):
        admit(application, BOB)


@pytest.mark.parametrize("way", ["invited", "open"])
def test_of_many_first_sign_ins_at_once_one_makes_the_user(
    hosted: Application, ada: Member, invite: Callable[..., str], way: str
) -> None:
    """All are told of the same person, and there is one."""
    if way == "invited":
        invite()
    with ThreadPoolExecutor(6) as threads:
        members = set(threads.map(lambda _: admit(hosted, BOB), range(6)))
    assert len(members) == 1
    assert len(list_organizations(hosted.storage)) == (1 if way == "invited" else 2)


def test_a_new_person_is_provisioned(application: Application, ada: Member) -> None:
    """Into the organization and the role that the directory says, although sign-up is closed."""
    member = provision(
        application, ada.organization.id, email="Bob@example.com", name="Bob", role="editor"
    )
    assert member.organization == ada.organization
    assert (member.user.email, member.user.name, member.user.role) == (BOB, "Bob", "editor")
    assert find_member(application.storage, BOB) == member


def test_a_provisioned_person_is_brought_up_to_date(application: Application, ada: Member) -> None:
    """At each sign-in role and name are the directory's; without a name the old one stays."""
    organization = ada.organization.id
    first = provision(application, organization, email=BOB, name="Bob", role="editor")
    second = provision(application, organization, email=BOB, role="viewer")
    third = provision(application, organization, email=BOB, name="Robert", role="viewer")
    assert {member.user.id for member in (first, second, third)} == {first.user.id}
    assert (second.user.name, second.user.role) == ("Bob", "viewer")
    assert (third.user.name, third.user.role) == ("Robert", "viewer")
    assert find_member(application.storage, BOB) == third


def test_a_person_of_another_organization_is_not_provisioned(
    application: Application, ada: Member
) -> None:
    """An address signs in to one organization."""
    other, _ = create_organization(application.storage, name="Other", owner_email=BOB)
    with pytest.raises(Forbidden, match="another organization"):
        provision(application, ada.organization.id, email=BOB, role="viewer")
    member = find_member(application.storage, BOB)
    assert member is not None
    assert (member.organization, member.user.role) == (other, "owner")


def test_a_directory_does_not_demote_the_last_owner(application: Application, ada: Member) -> None:
    """An organization keeps an owner; the refusal names the way out."""
    with pytest.raises(Invalid, match="last owner; make somebody else an owner first") as refused:
        provision(application, ada.organization.id, email=ada.user.email, role="viewer")
    assert refused.value.code == "last_owner"


def test_an_unknown_role_is_not_provisioned(application: Application, ada: Member) -> None:
    """A mapping's mistake lets nobody in."""
    with pytest.raises(Invalid, match="viewer, editor, admin, owner, not 'root'"):
        provision(application, ada.organization.id, email=BOB, role="root")
    assert find_member(application.storage, BOB) is None


def test_who_is_provisioned_needs_no_invitation_any_more(
    application: Application, ada: Member, invite: Callable[..., str], browser: Client
) -> None:
    """The invitation goes, and its role does not count."""
    invite(role="admin")
    member = provision(application, ada.organization.id, email=BOB, role="viewer")
    assert member.user.role == "viewer"
    assert browser.get("/api/v1/invitations").json == []


def test_of_many_provisionings_at_once_one_makes_the_user(
    application: Application, ada: Member
) -> None:
    """All are told of the same person."""

    def enter(_: int) -> str:
        return provision(application, ada.organization.id, email=BOB, role="viewer").user.id

    with ThreadPoolExecutor(6) as threads:
        assert len(set(threads.map(enter, range(6)))) == 1
