"""Invitations are mailed: those that were made, once, and for as long as they last."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from ipcraft.plugin import Application, Invalid, Statement, Transaction
from ipcraft.testing import Client, Clock, make_organization
from ipcraft.testing.organizations import Organization
from ipcraft.testing.services import MailSink
from ipcraft_accounts import change_plan
from ipcraft_accounts.invitations import create_invitation
from ipcraft_magiclink.invitations import due_invitations
from ipcraft_magiclink.tables import invitations

from .browsers import HTML, JSON, PUBLIC_URL, Browser

Make = Callable[..., Application]
ROWS = Statement(select(invitations.c.id))
BOB = "bob@example.com"
INVITATIONS = "/api/v1/invitations"


@pytest.fixture
def app(make: Make) -> Application:
    """Give an application where nobody may sign up."""
    return make(signup="closed")


@pytest.fixture
def org(app: Application) -> Organization:
    """Give an organization."""
    return make_organization(app)


def invite(org: Organization, email: str = BOB, *, role: str = "editor") -> str:
    """Invite somebody and give the invitation's id."""
    answer = org.client.post(INVITATIONS, json={"email": email, "role": role})
    assert answer.status_code == 201
    return str(answer.json["id"])


def due(app: Application) -> list[str]:
    """Give the invitations whose mail is to be sent."""
    return [each.invitation_id for each in due_invitations(app.storage, int(app.clock()))]


def test_an_invited_person_joins_with_the_link(
    app: Application, org: Organization, sink: MailSink
) -> None:
    """The mail says who invites; its link makes the person a user in the chosen role."""
    invite(org)
    (mail,) = sink.wait_for(1)
    assert mail.recipients == (BOB,)
    assert mail.message["Subject"] == f"Join Test {org.email} on IPCraft"
    assert mail.link.startswith(f"{PUBLIC_URL}/api/v1/auth/verify?token=")
    bob = Browser(app)
    page = bob.open(mail.link)
    assert "<button" in page.text
    assert bob.press(page).status_code == 303
    me = bob.me().json
    assert (me["organization"]["id"], me["role"]) == (org.id, "editor")
    assert org.client.get(INVITATIONS).json == []


def test_an_invited_person_may_ask_for_a_link(
    app: Application, org: Organization, sink: MailSink
) -> None:
    """Where sign-up is closed, an invitation lets its address in."""
    invite(org)
    sink.wait_for(1)
    bob = Browser(app)
    bob.ask(BOB)
    link = sink.wait_for(2)[-1].link
    assert bob.open(link, headers=JSON).json["organization"]["id"] == org.id


def test_the_link_works_once(app: Application, org: Organization, sink: MailSink) -> None:
    """As every link does, whoever tries it again."""
    invite(org)
    link = sink.wait_for(1)[0].link
    assert Browser(app).open(link, headers=JSON).status_code == 200
    assert Browser(app).open(link, headers=JSON).status_code == 401


@pytest.mark.parametrize(("days", "status"), [(6.99, 200), (7, 401)])
def test_the_link_works_as_long_as_the_invitation(
    app: Application, org: Organization, sink: MailSink, clock: Clock, days: float, status: int
) -> None:
    """Not ten minutes but seven days."""
    invite(org)
    link = sink.wait_for(1)[0].link
    clock.advance(hours=24 * days)
    assert Browser(app).open(link, headers=JSON).status_code == status


def test_a_withdrawn_invitation_lets_nobody_in(
    app: Application, org: Organization, sink: MailSink
) -> None:
    """Its link works no more from then on."""
    identifier = invite(org)
    link = sink.wait_for(1)[0].link
    assert org.client.delete(f"{INVITATIONS}/{identifier}").status_code == 204
    assert Browser(app).open(link, headers=HTML).status_code == 401


@pytest.mark.parametrize("headers", [HTML, JSON])
def test_where_there_is_no_room_a_person_is_told(
    make: Make, sink: MailSink, headers: dict[str, str]
) -> None:
    """The last place went to another: 402, to a person on a page; later they may come in."""
    sections = {"plans": {"catalogue": {"pro": {"users": 2}}}}
    app = make(signup="closed", sections=sections)
    org = make_organization(app, plan="pro")
    for number, email in enumerate((BOB, "eve@example.com"), 1):
        invite(org, email)
        sink.wait_for(number)
    links = {mail.recipients[0]: mail.link for mail in sink.mails}
    assert Browser(app).open(links["eve@example.com"], headers=JSON).status_code == 200
    bob = Browser(app)
    answer = bob.open(links[BOB], headers=headers)
    if headers is HTML:
        answer = bob.press(answer)
        assert answer.headers["content-type"].startswith("text/html")
    assert answer.status_code == 402
    assert "The plan pro includes 2 users" in answer.text
    assert "session" not in bob.cookies
    app.storage.transact(org.id, lambda tx: change_plan(tx, "enterprise"))
    bob.ask(BOB)
    assert bob.open(sink.wait_for(3)[-1].link, headers=JSON).json["organization"]["id"] == org.id


def test_nothing_is_sent_for_what_was_rolled_back(
    app: Application, org: Organization, sink: MailSink
) -> None:
    """The row that has the mail sent is gone with the invitation."""

    def work(tx: Transaction) -> None:
        create_invitation(tx, email=BOB, role="viewer", maker_role="owner")
        tx.settle()
        raise Invalid("no")

    with pytest.raises(Invalid):
        app.storage.transact(org.id, work)
    assert due(app) == []
    app.job_queue.close()
    assert sink.mails == []


def test_nothing_is_lost_when_the_job_is(
    make: Make, app: Application, org: Organization, sink: MailSink
) -> None:
    """A process that dies takes the order along; the sweep of another one finds the row."""
    app.job_queue.close()
    identifier = invite(org)
    assert due(app) == [identifier]
    other = make(signup="closed")
    other.enqueue("magiclink.invitations")
    (mail,) = sink.wait_for(1)
    other.job_queue.close()
    assert mail.recipients == (BOB,)
    assert due(app) == []


def test_a_mail_server_that_is_away_gets_the_mail_later(
    make: Make, org: Organization, sink: MailSink, clock: Clock
) -> None:
    """Again and again, with growing pauses, until it has it; and then not again."""
    sink.stop()
    invite(org)
    for pause in (30, 60, 120):
        app = make(signup="closed")
        app.enqueue("magiclink.invitations")
        app.job_queue.close()
        assert due(app) == []
        clock.advance(seconds=pause)
        assert len(due(app)) == 1
    sink.resume()
    for _ in range(3):
        app = make(signup="closed")
        app.enqueue("magiclink.invitations")
        app.job_queue.close()
        clock.advance(hours=1)
    assert len(sink.mails) == 1
    assert Browser(app).open(sink.mails[0].link, headers=JSON).status_code == 200


def test_a_refused_address_is_not_tried_again(
    app: Application, org: Organization, sink: MailSink, clock: Clock
) -> None:
    """The invitation stays: the person may still ask for a link."""
    sink.answer = "550 no such mailbox"
    identifier = invite(org)
    app.job_queue.close()
    clock.advance(hours=24)
    assert due(app) == []
    assert [each["id"] for each in org.client.get(INVITATIONS).json] == [identifier]


def test_an_invitation_waits_for_who_sends_mail(
    make: Make, org: Organization, sink: MailSink
) -> None:
    """A process that runs no jobs makes it all the same; its mail is sent by another one."""
    app = make(signup="closed")
    app.job_queue.close()
    assert Client(app, org.key).post(INVITATIONS, json={"email": BOB}).status_code == 201
    assert len(due(app)) == 1
    other = make(signup="closed")
    other.drains.begin("jobs")
    (mail,) = sink.wait_for(1)
    assert mail.recipients == (BOB,)


def test_a_name_is_no_markup_and_no_header(
    app: Application, org: Organization, sink: MailSink
) -> None:
    """What an organization is called is shown as it is, wherever it stands."""
    name = "<script>x</script>\r\nBcc: eve@example.com"
    owner = org.browser(app)
    assert owner.patch("/api/v1/organization", json={"name": name}).status_code == 200
    invite(org)
    (mail,) = sink.wait_for(1)
    assert mail.recipients == (BOB,)
    assert mail.message["Bcc"] is None
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html


def test_an_erased_organization_leaves_nothing(
    app: Application, org: Organization, sink: MailSink
) -> None:
    """Its invitations' links work no more."""
    invite(org)
    link = sink.wait_for(1)[0].link
    app.storage.transact(org.id, app.erase)
    assert Browser(app).open(link, headers=HTML).status_code == 401


def test_links_of_ended_invitations_are_forgotten(
    make: Make, app: Application, org: Organization, sink: MailSink, clock: Clock
) -> None:
    """A week later the row has no use any more."""
    invite(org)
    sink.wait_for(1)
    clock.advance(hours=24 * 7)
    app.enqueue("magiclink.tidy")
    app.job_queue.close()
    with app.storage.read_system() as tx:
        assert tx.all(ROWS) == []
