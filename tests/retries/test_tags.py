"""Tags of single resources: reading what has changed, changing what has been read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier

import falcon
import pytest
from falcon.testing import Result
from sqlalchemy import column, func, select, table, update

from ipcraft.contributions import Route
from ipcraft.plugin import Application, Statement, Transaction, given, own
from ipcraft.testing import Client, Organization, make_application, make_organization
from ipcraft.testing.clocks import Clock
from ipcraft_ipam.addresses import change
from ipcraft_ipam.tables import addresses

SECTIONS = "/api/v1/sections"
SUBNETS = "/api/v1/subnets"

_RENAME = Statement(
    update(addresses)
    .where(addresses.c.organization_id == own(), addresses.c.id == given("id"))
    .values(hostname=given("hostname"))
)
_NAME = Statement(
    select(addresses.c.hostname).where(
        addresses.c.organization_id == own(), addresses.c.id == given("id")
    )
)
_locks = table("pg_locks", column("granted"))
_WAITERS = Statement(select(func.count()).select_from(_locks).where(~_locks.c.granted), int)


@pytest.fixture
def folder(organization: Organization) -> str:
    """Give the path of a folder."""
    made = organization.client.post(SECTIONS, json={"name": "Office"})
    return f"{SECTIONS}/{made.json['id']}"


@pytest.fixture
def address(organization: Organization) -> str:
    """Give the path of an address."""
    subnet = organization.client.post(SUBNETS, json={"network": "10.0.0.0/24"}).json["id"]
    made = organization.client.post(f"{SUBNETS}/{subnet}/first-free")
    return f"/api/v1/addresses/{made.json['id']}"


def tag_of(client: Client, path: str) -> str:
    """Give the tag of what is at a path."""
    tag: str = client.get(path).headers["etag"]
    return tag


def rename(client: Client, path: str, name: str, **headers: str) -> Result:
    """Rename what is at a path."""
    named = {header.replace("_", "-"): value for header, value in headers.items()}
    return client.patch(path, json={"name": name}, headers=named)


def test_what_has_not_changed_is_not_sent_again(organization: Organization, folder: str) -> None:
    """A GET with the tag is 304 without a body, until the resource is another."""
    client = organization.client
    tag = tag_of(client, folder)
    same = client.get(folder, headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    rename(client, folder, "Branch")
    other = client.get(folder, headers={"If-None-Match": tag})
    assert other.status_code == 200
    assert other.headers["etag"] != tag


def test_a_head_has_the_tag_of_a_get(organization: Organization, folder: str) -> None:
    """HEAD is GET without the body, here too."""
    client = organization.client
    tag = tag_of(client, folder)
    assert client.request("HEAD", folder).headers["etag"] == tag
    assert client.request("HEAD", folder, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("form", ["{}", "W/{}", '"a", {}', '"a" , W/{},"b,c"', "*"])
def test_any_of_the_tags_may_be_the_one(organization: Organization, folder: str, form: str) -> None:
    """Tags are told apart weakly by a GET, one by one of a list, and a star is any tag."""
    tag = form.format(tag_of(organization.client, folder))
    answer = organization.client.get(folder, headers={"If-None-Match": tag})
    assert answer.status_code == 304


def test_every_single_resource_has_a_tag(organization: Organization, folder: str) -> None:
    """And no list has one: it may be streamed."""
    client = organization.client
    subnet = client.post(SUBNETS, json={"network": "10.0.0.0/24"}).json["id"]
    single = ("auth/me", "organization", "billing/plan", f"users/{organization.user_id}")
    for path in (folder, *(f"/api/v1/{each}" for each in (*single, f"subnets/{subnet}/usage"))):
        assert "etag" in client.get(path).headers, path
    for path in ("sections", "subnets", "users", "sections?limit=1", f"subnets/{subnet}/addresses"):
        assert "etag" not in client.get(f"/api/v1/{path}").headers, path


def test_a_change_of_what_was_read_is_made(organization: Organization, folder: str) -> None:
    """With the resource's tag, alone or among others, or a star for whatever is there."""
    client = organization.client
    assert rename(client, folder, "A", If_Match=tag_of(client, folder)).status_code == 200
    assert rename(client, folder, "B", If_Match=f'"x", {tag_of(client, folder)}').status_code == 200
    assert rename(client, folder, "C", If_Match="*").status_code == 200
    assert client.delete(folder, headers={"If-Match": tag_of(client, folder)}).status_code == 204


@pytest.mark.parametrize("form", ['"another"', "W/{}", '"a", W/{}'])
def test_a_change_of_something_else_is_refused(
    organization: Organization, folder: str, form: str
) -> None:
    """412 and nothing done, when no tag is the resource's; weak tags are nobody's here."""
    client = organization.client
    tag = form.format(tag_of(client, folder))
    for answer in (
        rename(client, folder, "A", If_Match=tag),
        rename(client, folder, "Office", If_Match=tag),
        client.delete(folder, headers={"If-Match": tag}),
    ):
        assert (answer.status_code, answer.json["code"]) == (412, "precondition_failed")
    assert client.get(folder).json["name"] == "Office"


def test_a_change_may_name_what_it_is_not_for(organization: Organization, folder: str) -> None:
    """If-None-Match on a write is 412 where it names the resource."""
    client = organization.client
    tag = tag_of(client, folder)
    assert rename(client, folder, "A", If_None_Match=tag).status_code == 412
    assert rename(client, folder, "A", If_None_Match="*").status_code == 412
    assert rename(client, folder, "A", If_None_Match='"another"').status_code == 200


def test_a_read_may_insist_on_a_tag(organization: Organization, folder: str) -> None:
    """If-Match on a GET is 412 for anything else."""
    client = organization.client
    headers = {"If-Match": tag_of(client, folder)}
    assert client.get(folder, headers=headers).status_code == 200
    assert client.get(folder, headers={"If-Match": '"another"'}).status_code == 412


@pytest.mark.parametrize("tag", ["", "x", '"x', '"x" "y"', '"x",', "*, *", ",".join(['"x"'] * 101)])
def test_a_malformed_tag_is_refused(organization: Organization, folder: str, tag: str) -> None:
    """A tag that is none is 400: taken for no tag, it would change what it should protect."""
    for header in ("If-Match", "If-None-Match"):
        answer = organization.client.patch(folder, json={"name": "A"}, headers={header: tag})
        assert (answer.status_code, answer.json["code"]) == (400, "malformed_tag")
    assert organization.client.get(folder).json["name"] == "Office"


def test_what_is_missing_is_missing(application: Application, folder: str) -> None:
    """An unknown id, and another organization's, are 404 with a condition too."""
    other = make_organization(application).client
    for path in (folder, f"{SECTIONS}/sec_01h455vb4pex5vsknk084sn02q"):
        assert rename(other, path, "A", If_Match='"x"').status_code == 404
        assert other.delete(path, headers={"If-Match": "*"}).status_code == 404


def test_what_has_no_tag_is_not_changed_on_one(organization: Organization) -> None:
    """A condition that cannot be checked is not met."""
    made = organization.client.post("/api/v1/api-keys", json={"name": "ci"})
    path = f"/api/v1/api-keys/{made.json['id']}"
    assert organization.client.delete(path, headers={"If-Match": '"x"'}).status_code == 412
    assert organization.client.delete(path, headers={"If-Match": "*"}).status_code == 204


def test_of_two_who_read_the_same_one_changes_it(organization: Organization, address: str) -> None:
    """Pairs of conditional changes, at once: one is made, one is refused, none is lost."""
    client = organization.client
    start = Barrier(2)

    def assign(tag: str, owner: str) -> int:
        start.wait()
        answer = client.patch(address, json={"owner": owner}, headers={"If-Match": tag})
        return int(answer.status_code)

    with ThreadPoolExecutor(2) as pool:
        for number in range(20):
            tag = tag_of(client, address)
            owners = (f"a{number}", f"b{number}")
            answers = list(pool.map(assign, (tag, tag), owners))
            assert sorted(answers) == [200, 412]
            assert client.get(address).json["owner"] == owners[answers.index(200)]


@pytest.fixture
def unlocked(database_url: str) -> Iterator[Application]:
    """Give an application with a route that locks nothing and records nothing it changes."""
    app = make_application(database_url)

    class Hostname:
        def on_get(self, req: falcon.Request, resp: falcon.Response, address_id: str) -> None:
            """Show the name."""
            with app.look(req.context.identity) as reader:
                resp.media = {"hostname": reader.value(_NAME, id=address_id)}

        def on_patch(self, req: falcon.Request, resp: falcon.Response, address_id: str) -> None:
            """Change the name."""
            name = req.get_header("X-Name")

            def work(tx: Transaction) -> None:
                tx.execute(_RENAME, id=address_id, hostname=name)

            app.transact(req.context.identity, work)
            resp.media = {"hostname": name}

    app.routes = (*app.routes, Route("/api/v1/hostnames/{address_id}", Hostname()))
    yield app
    app.close()


def test_a_route_that_locks_nothing_loses_nothing(unlocked: Application) -> None:
    """A plugin need not know of conditions: conditional changes of a path exclude each other."""
    organization = make_organization(unlocked)
    client = organization.client
    subnet = client.post(SUBNETS, json={"network": "10.0.0.0/24"}).json["id"]
    made = client.post(f"{SUBNETS}/{subnet}/first-free").json["id"]
    path = f"/api/v1/hostnames/{made}"
    start = Barrier(4)

    def change_to(name: str, tag: str) -> int:
        start.wait()
        answer = client.patch(path, headers={"If-Match": tag, "X-Name": name})
        return int(answer.status_code)

    with ThreadPoolExecutor(4) as pool:
        for number in range(10):
            tag = tag_of(client, path)
            names = [f"{letter}{number}" for letter in "abcd"]
            answers = list(pool.map(change_to, names, [tag] * 4))
            assert sorted(answers) == [200, 412, 412, 412]
            assert client.get(path).json["hostname"] == names[answers.index(200)]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")
def test_a_change_between_check_and_write_is_seen(
    application: Application, organization: Organization, address: str
) -> None:
    """The tag is checked when the row is held: who held it before has changed it, or has not.

    SQLite has one writer: there is nothing between.
    """
    client = organization.client
    tag = tag_of(client, address)

    def work(tx: Transaction) -> Future[Result]:
        change(tx, address.rpartition("/")[2], {"owner": "somebody"})
        tx.rehearse()
        answer = pool.submit(client.patch, address, json={"owner": "me"}, headers={"If-Match": tag})
        deadline = time.monotonic() + 30
        while not application.storage.look_up(_WAITERS):
            assert time.monotonic() < deadline, "the change does not wait for the row"
        return answer

    with ThreadPoolExecutor(1) as pool:
        answer = application.storage.transact(organization.id, work).result()
    assert answer.status_code == 412
    assert client.get(address).json["owner"] == "somebody"


def test_a_tag_is_of_the_second_it_was_changed_in(database_url: str) -> None:
    """Two changes within a second have two tags, though the times are in whole seconds."""
    app = make_application(database_url, clock=Clock(1_800_000_000))
    client = make_organization(app).client
    path = f"{SECTIONS}/{client.post(SECTIONS, json={'name': 'A'}).json['id']}"
    tags = {tag_of(client, path)}
    for name in "BCD":
        rename(client, path, name)
        tags.add(tag_of(client, path))
    assert len(tags) == 4
    app.close()
