"""People sign up, invite each other and are walled off; then a directory signs them in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from ipcraft.testing.services import MailSink, PgBouncer, PostgreSQL, Redis, Slapd
from ipcraft.testing.services.mail import Received

from .person import PUBLIC_URL, Person
from .site import Site

pytestmark = pytest.mark.journey

HOSTED = f"""\
public_url = "{PUBLIC_URL}"
mail_from = "IPCraft <ipcraft@example.com>"
signup = "open"
default_plan = "free"

[plugins.postgresql]
prepared_statements = false
"""

ON_PREM = """\
public_url = "http://ipam.example.com"
mail_from = "IPCraft <ipcraft@example.com>"

[plugins]
enable = ["ldap"]
disable = ["magiclink"]

[plugins.postgresql]
prepared_statements = false

[plugins.ldap]
url = "{url}"
ca_file = "{ca_file}"
user_dn = "uid={{username}},ou=people,dc=example,dc=com"
group_base = "ou=groups,dc=example,dc=com"
organization = "{organization}"

[plugins.ldap.roles]
noc = "editor"
"""

DIRECTORY = """\
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=grace,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: grace
cn: Grace Hopper
sn: Hopper
mail: grace@example.com
userPassword: a moth in the relay

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups

dn: cn=noc,ou=groups,dc=example,dc=com
objectClass: groupOfNames
cn: noc
member: uid=grace,ou=people,dc=example,dc=com
"""


@dataclass(frozen=True, slots=True)
class Directory:
    """Hold where the directory is, and who vouches for it."""

    url: str
    ca_file: Path


@pytest.fixture
def sink() -> Iterator[MailSink]:
    """Give an SMTP server."""
    with MailSink() as sink:
        yield sink


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    """Give an LDAP server."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    certificate, key = issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
    with Slapd("dc=example,dc=com", DIRECTORY, certificate=certificate, key=key) as server:
        yield Directory(server.url, ca_file)


@pytest.fixture
def site(postgresql: PostgreSQL, sink: MailSink, tmp_path: Path) -> Iterator[Site]:
    """Give an installation on PostgreSQL behind PgBouncer, with a Redis and a mail server."""
    url = postgresql.create_database()
    with PgBouncer(url, pool_size=4) as bouncer, Redis() as redis:
        yield Site(tmp_path, database_url=bouncer.url, redis_url=redis.url, smtp_url=sink.url)
    postgresql.drop_database(url)


def test_people_and_tenants(site: Site, sink: MailSink, directory: Directory) -> None:
    """From the first mail of a hosted service to the first password of an on-prem one."""
    ada, bob, eve = (Person(f"{name}@example.com") for name in ("ada", "bob", "eve"))
    site.configure(HOSTED)
    site.run("db", "upgrade")
    with site.serve() as served:
        for person in (ada, bob, eve):
            person.visit(served.url)
        organization = ada.sign_up(sink)["organization"]
        invite(site, sink, ada, bob, organization=organization)
        work_together(ada, bob)
        eve.sign_up(sink)
        see_nothing(eve, ada)
        hit_every_row(eve)

    site.configure(
        ON_PREM.format(
            url=directory.url, ca_file=directory.ca_file, organization=organization["id"]
        )
    )
    with site.serve() as served:
        grace = Person("grace@example.com")
        grace.visit(served.url)
        sign_in_with_the_directory(grace, organization)
        ada.visit(served.url)  # her session goes on, whatever it began with
        assert grace.get("sections") == ada.get("sections")
    written = site.logs()
    for mail in sink.mails:
        assert token_of(mail) not in written
    for person in (ada, bob, eve, grace):
        assert person.browser.cookies["session"] not in written
    assert "a moth in the relay" not in written


def invite(site: Site, sink: MailSink, ada: Person, bob: Person, *, organization: Any) -> None:
    """Invite somebody; on Free there is no room, on Teams there is."""
    invitation = {"email": bob.email, "role": "viewer"}
    refused(ada.post("invitations", invitation), "includes 1 users")
    site.run("org", "set-plan", organization["id"], "teams")
    assert ada.post("invitations", invitation).status_code == 201
    assert bob.open(sink, number=len(sink.mails) + 1)["organization"]["id"] == organization["id"]
    assert (ada.get("auth/me")["role"], bob.get("auth/me")["role"]) == ("owner", "viewer")


def work_together(ada: Person, bob: Person) -> None:
    """Work in one organization, each as far as their role goes, from one request to the next."""
    assert ada.post("sections", {"name": "Production"}).status_code == 201
    assert [section["name"] for section in bob.get("sections")] == ["Production"]
    assert bob.post("subnets", {"network": "10.0.0.0/24"}).status_code == 403
    (user,) = [user for user in ada.get("users") if user["email"] == bob.email]
    assert ada.send("PATCH", f"users/{user['id']}", {"role": "editor"}).status_code == 200
    subnet = bob.post("subnets", {"network": "10.0.0.0/24"})
    assert subnet.status_code == 201
    assert bob.post("invitations", {"email": "x@example.com"}).status_code == 403
    taken = [
        each.post(f"subnets/{subnet.json()['id']}/first-free", {"hostname": each.email})
        for each in (ada, bob)
    ]
    assert [each.json()["ip"] for each in taken] == ["10.0.0.1", "10.0.0.2"]
    told = {
        entry["user_id"] for entry in ada.get("activity") if entry["action"] == "address.created"
    }
    assert told == {ada.get("auth/me")["user"]["id"], user["id"]}


def see_nothing(eve: Person, ada: Person) -> None:
    """See an empty inventory, and nothing at the ids of another organization."""
    for kind in ("sections", "subnets", "addresses"):
        assert eve.get(kind) == []
        for each in ada.get(kind):
            for method, body in (("GET", None), ("PATCH", {"description": "x"}), ("DELETE", None)):
                assert eve.send(method, f"{kind}/{each['id']}", body).status_code == 404
            assert each in ada.get(kind)
    assert [user["email"] for user in eve.get("users")] == [eve.email]
    ours = {entry["id"] for entry in ada.get("activity")}
    assert not ours & {entry["id"] for entry in eve.get("activity")}


def hit_every_row(eve: Person) -> None:
    """Reach the end of everything that Free includes."""
    plan = eve.get("billing/plan")
    assert plan["plan"] == "free"
    limits = plan["limits"]
    refused(eve.post("invitations", {"email": "x@example.com"}), f"{limits['users']} users")
    for number in range(limits["sections"]):
        assert eve.post("sections", {"name": f"{number}"}).status_code == 201
    refused(eve.post("sections", {"name": "x"}), f"{limits['sections']} folders")
    subnets = [{"network": f"10.0.{number}.0/24"} for number in range(limits["subnets"])]
    made = eve.post("subnets", subnets)
    assert made.status_code == 201
    refused(eve.post("subnets", {"network": "10.9.0.0/16"}), f"{limits['subnets']} subnets")
    for count, subnet in zip((250,) * 6, made.json(), strict=False):
        path = f"subnets/{subnet['id']}/first-free"
        assert eve.post(path, {"count": count}).status_code == 201
    path = f"subnets/{made.json()[-1]['id']}/first-free"
    refused(eve.post(path), f"{limits['addresses']} addresses")
    key = eve.post("api-keys", {"name": "CI"}).json()["key"]
    assert eve.send("GET", "sections", key=key).status_code == 200
    refused(eve.send("POST", "sections", {"name": "x"}, key=key), "can read but not write")
    asked = [eve.browser.get(f"{eve.api}/auth/me", timeout=60) for _ in range(40)]
    assert 429 in {answer.status_code for answer in asked}
    assert {answer.headers["RateLimit-Policy"] for answer in asked} == {'"plan";q=10;w=1'}
    assert limits["activity_days"] == 7
    assert eve.get("billing/plan")["usage"] == {
        "users": 1,
        "sections": 5,
        "subnets": 100,
        "addresses": 1500,
    }


def sign_in_with_the_directory(grace: Person, organization: Any) -> None:
    """Sign in with a password of the directory; there are no links any more."""
    assert grace.post("auth/send-link", {"email": grace.email}).status_code == 404
    wrong = {"username": "grace", "password": "a bug"}
    assert grace.post("auth/ldap", wrong).status_code == 401
    right = {"username": "grace", "password": "a moth in the relay"}
    answer = grace.post("auth/ldap", right)
    assert answer.status_code == 200, answer.text
    assert answer.json()["organization"]["id"] == organization["id"]
    me = grace.get("auth/me")
    assert (me["user"]["name"], me["role"]) == ("Grace Hopper", "editor")
    assert grace.post("subnets", {"network": "10.1.0.0/24"}).status_code == 201


def refused(answer: Any, sentence: str) -> None:
    """Expect 402 with what the plan includes."""
    assert (answer.status_code, answer.json()["code"]) == (402, "plan_limit"), answer.text
    assert sentence in answer.json()["error"]


def token_of(mail: Received) -> str:
    """Give the token in a mail's link."""
    return mail.link.partition("?token=")[2]
