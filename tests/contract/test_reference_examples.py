"""Each example of the reference, sent as printed, answered as printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .answers import created, found, gone, refused
from .inventory import (
    Resource,
    add_address,
    add_addresses,
    add_key,
    add_section,
    add_subnet,
    add_subnets,
)
from .reference import EXAMPLES, differences

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org

SECTION = EXAMPLES["GET /api/v1/sections/{id}"].response
SUBNET = EXAMPLES["GET /api/v1/subnets"].response[0]
ADDRESS = EXAMPLES["GET /api/v1/addresses/{id}"].response


def echoes(body: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Tell whether the answer has every value of the request's body."""
    return body == {key: answer[key] for key in body}


def documented_section(org: Org) -> Resource:
    """Create the folder of the examples."""
    made: Resource = created(
        org.post("/api/v1/sections", json=EXAMPLES["POST /api/v1/sections"].request)
    )
    return made


def documented_subnet(org: Org) -> Resource:
    """Create the subnet of the examples, in the folder of the examples."""
    example = EXAMPLES["POST /api/v1/subnets"].request
    body = {**example, "section_id": documented_section(org)["id"]}
    made: Resource = created(org.post("/api/v1/subnets", json=body))
    return made


def documented_address(org: Org) -> Resource:
    """Create the address of the examples, in the subnet of the examples."""
    subnet = documented_subnet(org)
    path = "/api/v1/subnets/{id}/addresses"
    body = EXAMPLES[f"POST {path}"].request
    made: Resource = created(org.post(path.format(id=subnet["id"]), json=body))
    return made


def test_get_current_user(org: Org) -> None:
    """The user and the organization of the key are given."""
    answer = found(org.get("/api/v1/auth/me"))
    assert differences(EXAMPLES["GET /api/v1/auth/me"].response, answer) == []
    assert answer["user"]["id"] == org.user_id
    assert answer["user"]["email"] == org.email
    assert answer["organization"]["id"] == org.id


def test_list_folders(org: Org) -> None:
    """The list holds the folder of the example."""
    section = documented_section(org)
    answer = found(org.get("/api/v1/sections"))
    assert differences(EXAMPLES["GET /api/v1/sections"].response, answer) == []
    assert answer == [section]


def test_create_folder(org: Org) -> None:
    """The created folder is answered, with the values sent."""
    answer = documented_section(org)
    assert differences(EXAMPLES["POST /api/v1/sections"].response, answer) == []
    assert echoes(EXAMPLES["POST /api/v1/sections"].request, answer)


def test_create_folder_with_a_name_only(org: Org) -> None:
    """Only the name of a folder is required."""
    answer = add_section(org, "Production")
    assert answer["name"] == "Production"
    assert answer["sort_order"] == 0
    assert set(answer) >= set(SECTION)


def test_get_folder(org: Org) -> None:
    """A folder is found by its id."""
    section = documented_section(org)
    answer = found(org.get(f"/api/v1/sections/{section['id']}"))
    assert differences(SECTION, answer) == []
    assert answer == section


def test_update_folder(org: Org) -> None:
    """The updated folder is answered, with the values sent."""
    section = documented_section(org)
    body = EXAMPLES["PATCH /api/v1/sections/{id}"].request
    answer = found(org.patch(f"/api/v1/sections/{section['id']}", json=body))
    assert differences(SECTION, answer) == []
    assert echoes(body, answer)
    assert answer["id"] == section["id"]


def test_delete_folder(org: Org) -> None:
    """A deleted folder is answered with 204 and found no more."""
    assert EXAMPLES["DELETE /api/v1/sections/{id}"].no_content
    section = documented_section(org)
    gone(org.delete(f"/api/v1/sections/{section['id']}"))
    refused(org.get(f"/api/v1/sections/{section['id']}"), 404)


def test_list_subnets(org: Org) -> None:
    """The list holds the subnet of the example, with its utilization."""
    section = documented_section(org)
    given = ("network", "name", "description", "vrf_id", "gateway", "is_pool")
    body = {key: SUBNET[key] for key in given}
    created(org.post("/api/v1/subnets", json={**body, "section_id": section["id"]}))
    answer = found(org.get("/api/v1/subnets", params={"section_id": section["id"]}))
    assert differences(EXAMPLES["GET /api/v1/subnets"].response, answer) == []
    (subnet,) = answer
    assert echoes(body, subnet)
    assert subnet["section_id"] == section["id"]


def test_list_subnets_of_one_folder(org: Org) -> None:
    """With `section_id` the list holds the subnets of that folder only."""
    section = documented_section(org)
    inside = add_subnet(org, "10.0.0.0/16", section_id=section["id"])
    add_subnet(org, "10.0.1.0/24")
    answer = found(org.get("/api/v1/subnets", params={"section_id": section["id"]}))
    assert [subnet["id"] for subnet in answer] == [inside["id"]]


def test_create_subnet(org: Org) -> None:
    """The created subnet is answered, with the values sent."""
    answer = documented_subnet(org)
    request = dict(EXAMPLES["POST /api/v1/subnets"].request)
    del request["section_id"]
    assert differences(SUBNET, answer) == []
    assert echoes(request, answer)


def test_create_subnet_with_a_network_only(org: Org) -> None:
    """Only the network of a subnet is required."""
    answer = add_subnet(org, "10.0.1.0/24")
    assert set(answer) >= set(SUBNET)
    assert answer["network"] == "10.0.1.0/24"
    assert (answer["section_id"], answer["vrf_id"], answer["gateway"]) == (None, None, None)
    assert answer["is_pool"] is False
    assert answer["utilization"] == 0


def test_get_subnet(org: Org) -> None:
    """A subnet is answered with its children."""
    parent = add_subnet(org, "10.0.0.0/16", name="Core network")
    child = add_subnet(org, "10.0.1.0/24", name="Web servers")
    answer = found(org.get(f"/api/v1/subnets/{parent['id']}"))
    assert differences(EXAMPLES["GET /api/v1/subnets/{id}"].response, answer) == []
    assert [c["id"] for c in answer["children"]] == [child["id"]]


def test_get_subnet_has_what_the_list_has(org: Org) -> None:
    """A single subnet carries the fields of the list beside its children."""
    subnet = documented_subnet(org)
    answer = found(org.get(f"/api/v1/subnets/{subnet['id']}"))
    assert differences(SUBNET, answer) == []
    assert answer["children"] == []


def test_update_subnet(org: Org) -> None:
    """The updated subnet is answered, with the values sent."""
    subnet = documented_subnet(org)
    example = EXAMPLES["PATCH /api/v1/subnets/{id}"].request
    body = {**example, "section_id": subnet["section_id"]}
    answer = found(org.patch(f"/api/v1/subnets/{subnet['id']}", json=body))
    assert differences(SUBNET, answer) == []
    assert echoes(body, answer)
    assert answer["network"] == subnet["network"]


def test_delete_subnet(org: Org) -> None:
    """A deleted subnet is answered with 204; its children and addresses go with it."""
    assert EXAMPLES["DELETE /api/v1/subnets/{id}"].no_content
    made = add_subnets(org, ["10.0.0.0/16", "10.0.1.0/24"])
    address = add_address(org, made["10.0.1.0/24"], "10.0.1.10")
    gone(org.delete(f"/api/v1/subnets/{made['10.0.0.0/16']['id']}"))
    for subnet in made.values():
        refused(org.get(f"/api/v1/subnets/{subnet['id']}"), 404)
    refused(org.get(f"/api/v1/addresses/{address['id']}"), 404)


def test_split_subnet(org: Org) -> None:
    """The parts are answered in their order."""
    example = EXAMPLES["POST /api/v1/subnets/{id}/split"]
    subnet = add_subnet(org, "10.0.0.0/24")
    answer = created(org.post(f"/api/v1/subnets/{subnet['id']}/split", json=example.request))
    assert differences(example.response, answer) == []
    documented = [part["network"] for part in example.response]
    assert [part["network"] for part in answer] == documented


def test_subnet_usage(org: Org) -> None:
    """Forty-two addresses in a /24 give the figures of the example."""
    subnet = add_subnet(org, "10.0.1.0/24")
    add_addresses(org, subnet, [f"10.0.1.{host}" for host in range(1, 43)])
    answer = found(org.get(f"/api/v1/subnets/{subnet['id']}/usage"))
    example = EXAMPLES["GET /api/v1/subnets/{id}/usage"].response
    assert differences(example, answer) == []
    assert echoes(example, answer)


def test_first_free(org: Org) -> None:
    """The lowest address that is neither the gateway nor assigned is answered."""
    subnet = add_subnet(org, "10.0.1.0/24", gateway="10.0.1.1")
    add_addresses(org, subnet, ["10.0.1.2", "10.0.1.3", "10.0.1.4"])
    answer = found(org.get(f"/api/v1/subnets/{subnet['id']}/first-free"))
    assert answer == EXAMPLES["GET /api/v1/subnets/{id}/first-free"].responses[0]


def test_first_free_of_a_full_subnet(org: Org) -> None:
    """A full subnet is answered with null."""
    subnet = add_subnet(org, "10.0.1.0/30")
    add_addresses(org, subnet, ["10.0.1.1", "10.0.1.2"])
    answer = found(org.get(f"/api/v1/subnets/{subnet['id']}/first-free"))
    assert answer == EXAMPLES["GET /api/v1/subnets/{id}/first-free"].responses[1]


def test_list_addresses(org: Org) -> None:
    """The list holds the address of the example."""
    address = documented_address(org)
    answer = found(org.get(f"/api/v1/subnets/{address['subnet_id']}/addresses"))
    assert differences(EXAMPLES["GET /api/v1/subnets/{id}/addresses"].response, answer) == []
    assert [a["id"] for a in answer] == [address["id"]]


def test_create_address(org: Org) -> None:
    """The created address is answered, with the values sent."""
    answer = documented_address(org)
    assert differences(ADDRESS, answer) == []
    assert echoes(EXAMPLES["POST /api/v1/subnets/{id}/addresses"].request, answer)


def test_create_address_with_an_ip_only(org: Org) -> None:
    """Only the ip of an address is required."""
    answer = add_address(org, add_subnet(org, "10.0.1.0/24"), "10.0.1.10")
    assert set(answer) >= set(ADDRESS)
    assert answer["ip"] == "10.0.1.10"
    assert answer["status"] == "active"


def test_get_address(org: Org) -> None:
    """An address is found by its id."""
    address = documented_address(org)
    answer = found(org.get(f"/api/v1/addresses/{address['id']}"))
    assert differences(ADDRESS, answer) == []
    assert answer == address


def test_update_address(org: Org) -> None:
    """The updated address is answered, with the values sent."""
    address = documented_address(org)
    body = EXAMPLES["PATCH /api/v1/addresses/{id}"].request
    answer = found(org.patch(f"/api/v1/addresses/{address['id']}", json=body))
    assert differences(ADDRESS, answer) == []
    assert echoes(body, answer)
    assert answer["ip"] == address["ip"]


def test_delete_address(org: Org) -> None:
    """A deleted address is answered with 204 and found no more."""
    assert EXAMPLES["DELETE /api/v1/addresses/{id}"].no_content
    address = documented_address(org)
    gone(org.delete(f"/api/v1/addresses/{address['id']}"))
    refused(org.get(f"/api/v1/addresses/{address['id']}"), 404)


def test_list_keys(org: Org) -> None:
    """The list shows the prefix of each key, never the key."""
    add_key(org)
    answer = found(org.get("/api/v1/api-keys"))
    assert differences(EXAMPLES["GET /api/v1/api-keys"].response, answer) == []
    assert all("key" not in key for key in answer)


def test_create_key(org: Org) -> None:
    """The created key is answered in full, this once."""
    example = EXAMPLES["POST /api/v1/api-keys"]
    answer = created(org.post("/api/v1/api-keys", json=example.request))
    assert differences(example.response, answer) == []
    assert echoes(example.request, answer)


def test_delete_key(org: Org) -> None:
    """A deleted key is answered with 204 and is listed no more."""
    assert EXAMPLES["DELETE /api/v1/api-keys/{id}"].no_content
    key = add_key(org)
    gone(org.delete(f"/api/v1/api-keys/{key['id']}"))
    assert key["id"] not in [k["id"] for k in found(org.get("/api/v1/api-keys"))]


def test_activity(org: Org) -> None:
    """The creation of the example's subnet is told as in the example."""
    subnet = add_subnet(org, "10.0.1.0/24", name="Web servers")
    answer = found(org.get("/api/v1/activity", params={"limit": 10, "offset": 0}))
    (sample,) = EXAMPLES["GET /api/v1/activity"].response
    (entry,) = [entry for entry in answer if entry["resource_id"] == subnet["id"]]
    assert differences(sample, entry) == []
    same = ("action", "resource_type", "details")
    assert {key: entry[key] for key in same} == {key: sample[key] for key in same}
    assert entry["user_id"] == org.user_id


def test_overlap_error(org: Org) -> None:
    """The example of an error is what a second subnet of the same network gets."""
    add_subnet(org, "10.0.0.0/16")
    body = refused(org.post("/api/v1/subnets", json={"network": "10.0.0.0/16"}))
    assert body["error"] == "Subnet overlaps with existing subnet 10.0.0.0/16"
