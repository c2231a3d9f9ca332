"""Imports over HTTP: checked first, written by a job, told row by row."""

from __future__ import annotations

import pytest

from ipcraft.app import Application
from ipcraft.testing import Organization, make_application, make_organization, take_events

from .conftest import DATA, Send, drifts, exported, netbox, post, rows, settled, total

TWO = "network,name\n10.0.0.0/24,Web\n10.0.1.0/24,Mail\n"


def names(organization: Organization) -> list[str | None]:
    """Give the names of all subnets."""
    return [each["name"] for each in organization.client.get("/api/v1/subnets").json]


def test_an_upload_is_checked_and_changes_nothing(organization: Organization, send: Send) -> None:
    """Without more words an import only tells what would become of the rows."""
    found = send(TWO, filename="two.csv")
    assert (found["state"], total(found)) == ("checked", {"created": 2})
    assert found["files"] == ["two.csv"]
    assert names(organization) == []
    assert [(row["line"], row["label"]) for row in rows(organization, found)] == [
        (2, "10.0.0.0/24"),
        (3, "10.0.1.0/24"),
    ]


def test_a_checked_import_is_run(
    application: Application, organization: Organization, send: Send
) -> None:
    """Running makes what the report says, once, and forgets the file."""
    found = send(TWO)
    run = organization.client.post(f"/api/v1/imports/{found['id']}/run")
    assert run.status_code == 202
    done = settled(organization, found["id"])
    assert (done["state"], total(done)) == ("done", {"created": 2})
    assert names(organization) == ["Web", "Mail"]
    assert drifts(application, organization) == []
    again = organization.client.post(f"/api/v1/imports/{found['id']}/run")
    assert (again.status_code, again.json["code"]) == (409, "conflict")


def test_one_call_imports_a_clean_file(organization: Organization, send: Send) -> None:
    """With `run` a file of which nothing is refused is written at once."""
    assert send(TWO, run="true")["state"] == "done"
    assert names(organization) == ["Web", "Mail"]


def test_importing_again_changes_nothing(
    application: Application, organization: Organization, send: Send
) -> None:
    """The second time every row is there already, and there is no further event."""
    send(netbox(), run="true")
    before = exported(organization)
    take_events(application)
    again = send(netbox(), run="true")
    assert set(total(again)) == {"skipped"}
    assert exported(organization) == before


def test_a_row_changes_what_is_there(organization: Organization, send: Send) -> None:
    """What exists is changed where the file says otherwise; an empty cell says nothing."""
    send("ip,hostname,owner,description\n10.0.0.5/24,web,ops,old\n", run="true")
    found = send("ip,hostname,owner,description\n10.0.0.5,web,,new\n", run="true")
    [row] = rows(organization, found)
    assert (row["outcome"], row["changes"]) == ("changed", ["description"])
    [address] = organization.client.get("/api/v1/addresses").json
    assert (address["description"], address["owner"]) == ("new", "ops")


def test_a_bad_row_stops_all(organization: Organization, send: Send) -> None:
    """One refused row, and nothing is imported; the report names line, column and reason."""
    found = send(TWO + "10.0.2.7/24,Bad\n", run="true")
    assert (found["state"], total(found)) == ("checked", {"created": 2, "refused": 1})
    [row] = rows(organization, found, outcome="refused")
    assert (row["line"], row["column"]) == (4, "network")
    assert "did you mean 10.0.2.0/24?" in row["reason"]
    assert names(organization) == []
    run = organization.client.post(f"/api/v1/imports/{found['id']}/run")
    assert (run.status_code, run.json["code"]) == (400, "rows_refused")


def test_bad_rows_are_skipped_on_request(organization: Organization, send: Send) -> None:
    """Asked to, an import leaves out what is refused, and takes the rest."""
    found = send(TWO + "10.0.2.7/24,Bad\n", run="true", skip_bad_rows="true")
    assert (found["state"], total(found)) == ("done", {"created": 2, "refused": 1})
    assert names(organization) == ["Web", "Mail"]


def test_folders_and_vrfs_are_made_on_the_way(organization: Organization, send: Send) -> None:
    """A name that nothing has is made, and told in the report."""
    found = send("network,section,vrf,vlan\n10.0.0.0/24,Berlin,Red,120\n", run="true")
    made = {row["kind"] for row in rows(organization, found)}
    assert made == {"folder", "vrf", "vlan", "subnet"}
    [subnet] = organization.client.get("/api/v1/subnets").json
    for path, key, name in (
        ("sections", "section_id", "Berlin"),
        ("vrfs", "vrf_id", "Red"),
        ("vlans", "vlan_id", "VLAN 120"),
    ):
        record = organization.client.get(f"/api/v1/{path}/{subnet[key]}").json
        assert record["name"] == name


def test_addresses_find_their_homes(
    application: Application, organization: Organization, send: Send
) -> None:
    """An address goes to the smallest subnet, of the file or there already; else to its own."""
    send("network\n10.0.0.0/8\n", run="true")
    found = send(
        "ip,subnet\n10.9.9.9,\n10.0.1.5,10.0.1.0/24\n192.0.2.5,192.0.2.0/24\n192.0.2.6,\n",
        run="true",
    )
    assert total(found) == {"created": 5}
    networks = {
        each["id"]: each["network"] for each in organization.client.get("/api/v1/subnets").json
    }
    homes = {
        each["ip"]: networks[each["subnet_id"]]
        for each in organization.client.get("/api/v1/addresses").json
    }
    assert homes == {
        "10.0.1.5": "10.0.0.0/8",
        "10.9.9.9": "10.0.0.0/8",
        "192.0.2.5": "192.0.2.0/24",
        "192.0.2.6": "192.0.2.0/24",
    }
    assert drifts(application, organization) == []


def test_an_address_without_a_home_is_refused(organization: Organization, send: Send) -> None:
    """What no subnet contains, and does not say its network, cannot be kept."""
    [row] = rows(organization, send("ip\n10.0.0.5\n"))
    assert (row["outcome"], row["column"]) == ("refused", "ip")
    assert "no subnet contains 10.0.0.5" in row["reason"]


def test_the_plan_is_in_the_report(application: Application) -> None:
    """What the plan does not include is refused before anything is written."""
    small = make_organization(application, plan="free")
    lines = "".join(f"10.{n // 256}.{n % 256}.0/24\n" for n in range(103))
    body = f"network\n{lines}".encode()
    browser = small.browser(application)
    answer = browser.post("/api/v1/imports", body=body, params={"run": "true"})
    assert answer.status_code == 202, answer.text
    found = settled(small, answer.json["id"])
    assert (found["state"], total(found)) == ("checked", {"created": 100, "refused": 3})
    assert (
        "The plan free includes 100 subnets" in rows(small, found, outcome="refused")[0]["reason"]
    )


def test_every_row_is_an_event(
    application: Application, organization: Organization, send: Send
) -> None:
    """Imported things are told like any other, in the name of who uploaded them."""
    send("network,section\n10.0.0.0/24,Berlin\n", run="true")
    take_events(application)
    entries = organization.client.get("/api/v1/activity").json
    told = [entry["action"] for entry in entries if entry["user_id"] == organization.user_id]
    for event in ("folder.created", "subnet.created"):
        assert told.count(event) == 1


def test_rows_come_in_pages(organization: Organization, send: Send) -> None:
    """A page of the report is a part of the whole, also of one outcome."""
    lines = "".join(f"10.0.{n // 256}.{n % 256}\n" if n % 3 else "bad\n" for n in range(2600))
    found = send(f"ip\n{lines}")
    whole = rows(organization, found, outcome="refused")
    page = organization.client.get(
        f"/api/v1/imports/{found['id']}/rows",
        params={"outcome": "refused", "limit": "7", "offset": "1001"},
    )
    assert page.json == whole[1001:1008]
    assert page.headers["X-Total-Count"] == str(len(whole))


def test_imports_are_listed_newest_first(organization: Organization, send: Send) -> None:
    """The list shows each import as its own page does."""
    first, second = send(TWO), send(TWO)
    assert organization.client.get("/api/v1/imports").json == [second, first]
    page = organization.client.get("/api/v1/imports", params={"limit": "1", "offset": "1"})
    assert (page.json, page.headers["X-Total-Count"]) == ([first], "2")


def test_a_deleted_import_is_forgotten(organization: Organization, send: Send) -> None:
    """File, report and the import itself go."""
    found = send(TWO)
    assert organization.client.delete(f"/api/v1/imports/{found['id']}").status_code == 204
    for path in ("", "/rows"):
        answer = organization.client.get(f"/api/v1/imports/{found['id']}{path}")
        assert answer.status_code == 404


def test_several_files_come_as_a_form(organization: Organization) -> None:
    """A form's files are one import; what they refer to may be in the other."""
    boundary = "x" * 20
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        f"{body}\r\n"
        for name, body in (("a.csv", "ip\n10.0.0.5\n"), ("b.csv", "network\n10.0.0.0/24\n"))
    )
    answer = organization.client.post(
        "/api/v1/imports",
        body=f"{parts}--{boundary}--\r\n".encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert answer.status_code == 202, answer.text
    found = settled(organization, answer.json["id"])
    assert (found["files"], total(found)) == (["a.csv", "b.csv"], {"created": 2})


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"format": "netbx-csv"}, "format"),
        ({"run": "yes"}, "run"),
        ({"columns": "ip"}, "columns"),
        ({"columns": '{"ipp": "x"}'}, "columns"),
        ({"section": ""}, "section"),
    ],
)
def test_bad_options_are_refused(
    organization: Organization, params: dict[str, str], field: str
) -> None:
    """An option that means nothing is a 400 that names it."""
    if params.get("section") == "":
        params = {"section": "x" * 256}
    answer = post(organization, TWO.encode(), **params)
    assert answer.status_code == 400
    assert field in answer.json["error"]


def test_viewers_read_and_do_not_import(
    application: Application, organization: Organization, send: Send
) -> None:
    """An import is a write; looking at it and exporting are not."""
    found = send(TWO)
    viewer = organization.client_as(application, "viewer")
    assert viewer.post("/api/v1/imports", body=b"network\n").status_code == 403
    assert viewer.get(f"/api/v1/imports/{found['id']}").status_code == 200
    assert viewer.get("/api/v1/export").status_code == 200


def test_too_large_an_upload_is_refused(database_url: str) -> None:
    """An upload above the limit is 413, at once where it says its size."""
    app = make_application(database_url, sections={"interchange": {"max_bytes": 1 << 20}})
    organization = make_organization(app)
    answer = post(organization, b"n" * ((1 << 20) + 1))
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    claimed = organization.client.post(
        "/api/v1/imports", body=b"network\n", headers={"Content-Length": str(4 << 30)}
    )
    assert claimed.status_code == 413
    app.close()


def test_unrun_imports_are_limited(database_url: str) -> None:
    """Nobody fills the database with uploads."""
    app = make_application(database_url, sections={"interchange": {"max_waiting": 1}})
    organization = make_organization(app)
    assert post(organization, TWO.encode()).status_code == 202
    answer = post(organization, TWO.encode())
    assert (answer.status_code, answer.json["code"]) == (400, "too_many_imports")
    app.close()


def test_amazons_ranges_are_merged(organization: Organization, send: Send) -> None:
    """A network that is listed for several services is one subnet that names them."""
    found = send((DATA / "ip-ranges.json").read_bytes(), run="true", section="Amazon")
    assert (found["state"], set(total(found))) == ("done", {"created"})
    subnets = organization.client.get("/api/v1/subnets").json
    assert len(subnets) == total(found)["created"] - 1
    assert {each["section_id"] for each in subnets} != {None}


@pytest.mark.parametrize(
    ("way", "path", "column"),
    [
        ("file", "sections", "section"),
        ("file", "vrfs", "vrf"),
        ("file", "vlans", "vlan"),
        ("option", "sections", "section"),
        ("option", "vrfs", "vrf"),
    ],
)
def test_ids_of_others_are_nobodys(
    application: Application,
    organization: Organization,
    send: Send,
    way: str,
    path: str,
    column: str,
) -> None:
    """A file and an option may name ids; those of another organization are as good as none."""
    other = make_organization(application)
    fields = {"name": "Red", "number": 7} if path == "vlans" else {"name": "Red"}
    theirs = other.client.post(f"/api/v1/{path}", json=fields).json["id"]
    nobodys = theirs[:-1] + ("0" if theirs[-1] != "0" else "1")
    told = []
    for identifier in (theirs, nobodys):
        if way == "file":
            found = send(f"network,{column}_id\n10.0.0.0/24,{identifier}\n", run="true")
        else:
            found = send("network\n10.0.0.0/24\n", run="true", **{column: identifier})
        [row] = rows(organization, found)
        told.append((row["outcome"], row["reason"].replace(identifier, "the id")))
    assert told[0] == told[1]
    assert told[0][0] == "refused"
    assert names(organization) == []
