"""What a program does with the client, against a served process."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ipcraft.client import Client, RequestRefused, Unreachable
from ipcraft.client.collections import PAGE_SIZE
from ipcraft.testing.services import free_port

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served


def test_an_inventory_is_made_and_read(ipam: Client) -> None:
    """Folders, subnets and addresses, each with the fields of the API's reference."""
    folder = ipam.sections.create(name="Office", sort_order=2)
    subnet = ipam.subnets.create(network="10.0.0.0/24", section_id=folder["id"])
    address = ipam.addresses.assign(subnet["id"], "10.0.0.7", hostname="web")
    assert ipam.sections.get(folder["id"]) == folder
    assert ipam.addresses.find(ip="10.0.0.7") == address
    assert ipam.subnets.find(network="10.9.0.0/24") is None
    assert [each["hostname"] for each in ipam.addresses.of(subnet["id"])] == ["web"]
    ipam.addresses.delete(address["id"])
    assert ipam.subnets.usage(subnet["id"]) == {"used": 0, "total": 254, "utilization": 0.0}


def test_space_is_taken(ipam: Client) -> None:
    """The next address, several, a network of a size, and parts."""
    subnet = ipam.subnets.create(network="10.0.0.0/16")
    assert ipam.subnets.first_free(subnet["id"]) == "10.0.0.1"
    assert ipam.subnets.take_next(subnet["id"], owner="me")["owner"] == "me"
    taken = ipam.subnets.take_many(subnet["id"], 2, strategy="last")
    assert [each["ip"] for each in taken] == ["10.0.255.254", "10.0.255.253"]
    assert ipam.subnets.take_subnet(subnet["id"], 24)["network"] == "10.0.1.0/24"
    other = ipam.subnets.create(network="10.1.0.0/16")
    assert len(ipam.subnets.split(other["id"], 4)) == 4


def test_other_kinds_are_collections_too(ipam: Client) -> None:
    """VRFs and VLANs have names; anything else is reached by its path."""
    assert ipam.vrfs.create(name="blue", rd="65000:1")["rd"] == "65000:1"
    assert ipam.vlans.create(number=120, name="voice")["number"] == 120
    assert [each["name"] for each in ipam.vlans.each()] == ["voice"]
    assert ipam.request("GET", "auth/me").body["role"] == "owner"
    assert [each["role"] for each in ipam.collection("users").each()] == ["owner"]


def test_a_long_list_is_asked_for_page_by_page(ipam: Client) -> None:
    """An iterator gives all of it, in its order, and asks for no more than it is asked for."""
    subnet = ipam.subnets.create(network="10.0.0.0/16")
    ips = [f"10.0.{n // 250}.{n % 250 + 1}" for n in range(2 * PAGE_SIZE + 1)]
    ipam.addresses.assign_many(subnet["id"], [{"ip": ip} for ip in ips])
    assert [each["ip"] for each in ipam.addresses.each()] == ips
    few = ipam.addresses.each(limit=7)
    assert next(few)["ip"] == ips[0]
    assert len(list(few)) == len(ips) - 1


def test_events_are_followed(ipam: Client) -> None:
    """All events after a sequence come, the newest last."""
    for name in "ABC":
        ipam.sections.create(name=name)
    labels: list[str] = []
    while "C" not in labels:
        labels = [event["data"]["label"] for event in ipam.events()]
    last = list(ipam.events())[-1]["sequence"]
    assert list(ipam.events(after=last)) == []


def test_a_change_is_made_of_what_was_read(ipam: Client, served: Served, org: Org) -> None:
    """Whoever overtakes an edit is seen by its second try; a tag alone is refused."""
    folder = ipam.sections.create(name="Office")
    tag = ipam.sections.look(folder["id"]).tag
    overtaking = iter(["overtaken"])

    def change(now: object) -> dict[str, object]:
        for name in overtaking:
            org.patch(f"/api/v1/sections/{folder['id']}", json={"description": name})
        assert isinstance(now, dict)
        return {"name": f"{now['description']} by us"}

    assert ipam.sections.edit(folder["id"], change)["name"] == "overtaken by us"
    with pytest.raises(RequestRefused) as refused:
        ipam.sections.update(folder["id"], tag=tag, name="late")
    assert (refused.value.status, refused.value.code) == (412, "precondition_failed")
    with pytest.raises(RequestRefused):
        ipam.sections.delete(folder["id"], tag=tag)


def test_a_client_may_only_try(ipam: Client, served: Served, org: Org) -> None:
    """With dry_run every write is checked and none is done."""
    with Client(served.url, key=org.key, dry_run=True) as trying:
        assert trying.sections.create(name="A")["name"] == "A"
        with pytest.raises(RequestRefused):
            trying.subnets.create(network="10.0.0.1/24")
        assert trying.request("POST", "sections", json={"name": "B"}).status == 201
    assert list(ipam.sections.each()) == []


def test_a_refusal_says_all_that_the_server_said(ipam: Client) -> None:
    """Status, code, fields and the id to find the request by; nothing is sent again."""
    with pytest.raises(RequestRefused) as refused:
        ipam.subnets.create(network="10.0.0.1/24", nme="x")
    error = refused.value
    assert error.status == 400
    assert set(error.fields) == {"network", "nme"}
    assert error.request_id
    assert str(error).endswith(f"answered 400: {error.message}")


def test_an_id_is_one_part_of_a_path(ipam: Client) -> None:
    """What is no id does not lead elsewhere."""
    for text in ("../users", "a/b", "?limit=1", "#"):
        with pytest.raises(RequestRefused) as refused:
            ipam.sections.get(text)
        assert refused.value.status == 404


def test_nobody_there_is_told_with_the_address() -> None:
    """After the patience is over, and at once for what is no address."""
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url, key="k", patience=0.1) as client, pytest.raises(Unreachable, match=url):
        client.sections.create(name="A")
    with Client("nonsense", key="k") as client, pytest.raises(Unreachable, match="nonsense"):
        client.sections.create(name="A")


def test_importing_it_is_cheap() -> None:
    """Neither requests nor tenacity, nor anything of the server, comes with the import."""
    code = (
        "import sys, ipcraft.client\n"
        "print([n for n in ('requests', 'tenacity', 'falcon', 'sqlalchemy') if n in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == "[]\n"
