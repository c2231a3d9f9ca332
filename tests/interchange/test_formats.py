"""Files as other systems write them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from openpyxl import Workbook

from ipcraft.testing import Organization

from .conftest import DATA, Send, archive, rows, total

DUMP = (DATA / "phpipam.sql").read_text()


def subnets(organization: Organization) -> dict[str, dict[str, Any]]:
    """Give all subnets by network, with names for what they refer to."""
    named = {
        record["id"]: record["name"]
        for path in ("sections", "vrfs", "vlans")
        for record in organization.client.get(f"/api/v1/{path}").json
    }
    return {
        each["network"]: {
            **each,
            **{key: named.get(each[key]) for key in ("section_id", "vrf_id", "vlan_id")},
        }
        for each in organization.client.get("/api/v1/subnets").json
    }


def addresses(organization: Organization) -> dict[str, dict[str, Any]]:
    """Give all addresses."""
    return {each["ip"]: each for each in organization.client.get("/api/v1/addresses").json}


def workbook(*sheets: list[list[object]]) -> bytes:
    """Give an Excel file."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for number, lines in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {number}")
        for line in lines:
            sheet.append(line)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def test_phpipams_database_is_read(organization: Organization, send: Send) -> None:
    """Folders, VRFs, VLANs, gateways, states: the dump's rows become what they are here."""
    found = send(DUMP, run="true", filename="phpipam.sql")
    assert (found["state"], total(found).get("refused")) == ("done", None), found
    assert any("custom_ticket of 1 row is not kept" in note for note in found["notes"])
    networks = subnets(organization)
    office = networks["10.10.1.0/24"]
    assert (office["name"], office["gateway"], office["vlan_id"]) == (
        'Office; it\'s "big"',
        "10.10.1.1",
        "Office LAN",
    )
    assert office["section_id"] == "Berlin"
    assert networks["10.10.0.0/16"]["section_id"] == "Customers"
    assert networks["fd00:10::/64"]["vrf_id"] == "Red"
    assert networks["10.10.1.128/26"]["is_pool"] is True
    found_addresses = addresses(organization)
    assert found_addresses["10.10.1.1"]["status"] == "gateway"
    printer = found_addresses["10.10.1.7"]
    assert (printer["hostname"], printer["status"], printer["mac_address"], printer["owner"]) == (
        "printer",
        "reserved",
        "00:11:22:33:44:55",
        "Ada",
    )
    assert found_addresses["fd00:10::5"]["description"] == "line\nbreak"


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (DUMP.index("'printer'") + 3, "in the middle of a statement"),
        (DUMP.index("-- Dump completed"), "its last line is missing"),
        (DUMP.index("INSERT INTO `vrf`"), "its last line is missing"),
    ],
)
def test_half_a_dump_is_told(organization: Organization, send: Send, cut: int, words: str) -> None:
    """A dump that breaks off is told by its line, and nothing of it is imported."""
    found = send(DUMP[:cut], run="true")
    assert found["state"] == "checked"
    reasons = [row["reason"] for row in rows(organization, found, outcome="refused")]
    assert any(words in reason for reason in reasons), reasons
    assert subnets(organization) == {}


def test_a_circle_of_master_subnets_is_told(organization: Organization, send: Send) -> None:
    """Subnets that are each other's masters are refused, with the line of each."""
    looped = DUMP.replace("NULL,3,1,0,0)", "NULL,6,1,0,0)")
    assert looped != DUMP
    found = send(looped, run="true")
    refused = rows(organization, found, outcome="refused")
    assert [row["column"] for row in refused if "below itself" in row["reason"]]


def test_phpipams_sheets_are_read(organization: Organization, send: Send) -> None:
    """The export of subnets has its sections on a second sheet; circles of them are told."""
    subnet_lines: list[list[object]] = [
        ["Section", "Subnet", "Mask", "Description", "VLAN", "Domain", "VRF", "Site"],
        ["Berlin", "10.0.0.0", 24, "Office", 120, "default", "Red", "HQ"],
        ["Berlin", "10.0.1.0/24", None, "Lab", None, "default", "default", None],
    ]
    sections: list[list[object]] = [
        ["Name", "Description", "Parent"],
        ["Berlin", "The city", "root"],
        ["A", None, "B"],
        ["B", None, "A"],
    ]
    found = send(workbook(subnet_lines, sections), filename="phpipam.xlsx")
    refused = rows(organization, found, outcome="refused")
    assert [(row["line"], row["column"]) for row in refused] == [
        (3, "Parent"),
        (4, "Parent"),
    ], refused
    organization.client.post(f"/api/v1/imports/{found['id']}/run", json={"skip_bad_rows": True})
    assert any("Site of 1 row is not kept" in note for note in found["notes"])


def test_phpipams_old_excel_files_are_read(organization: Organization, send: Send) -> None:
    """Addresses with tags and gateways, in the format of before 2007."""
    send("network\n10.0.0.0/24\n", run="true")
    found = send((DATA / "phpipam-addresses.xls").read_bytes(), run="true")
    assert (found["state"], total(found)) == ("done", {"created": 2}), found
    known = addresses(organization)
    assert (known["10.0.0.1"]["status"], known["10.0.0.9"]["status"]) == ("gateway", "dhcp")
    assert known["10.0.0.9"]["hostname"] == "büro"


def test_phpipams_tables_of_a_subnet_are_read(organization: Organization, send: Send) -> None:
    """They have a title above the header, and no subnet: each address finds the smallest."""
    send("network\n10.0.0.0/8\n10.0.0.0/24\n", run="true")
    lines: list[list[object]] = [
        ["Subnet: 10.0.0.0/24 - Office"],
        ["ip address", "ip state", "description", "hostname", "mac", "owner", "device", "note"],
        ["10.0.0.7", "Reserved", "by the door", "printer", "001122334455", "Ada", "sw1", "x"],
        ["10.0.0.8", "Unheard of", None, None, None, None, None, None],
    ]
    found = send(workbook(lines), run="true")
    assert (found["state"], total(found)) == ("done", {"created": 2}), found
    known = addresses(organization)
    assert (known["10.0.0.7"]["status"], known["10.0.0.7"]["owner"]) == ("reserved", "Ada")
    assert known["10.0.0.8"]["status"] == "active"
    told = " ".join(found["notes"])
    assert all(f"{name} of 1 row is not kept" in told for name in ("device", "note", "Tag"))


def test_texts_of_a_dump_may_look_like_its_end(organization: Organization, send: Send) -> None:
    """A line of a text may end with a semicolon and have quotes of every kind."""
    text = "-- MySQL dump\n-- it's a comment;\n/*!40101 SET NAMES 'utf8' */;\n"
    text += "INSERT INTO `ipTags` (`id`,`type`) VALUES (2,'Used');\n"
    text += (
        "INSERT INTO `sections` (`id`,`name`,`description`) VALUES (1,'A','one;\ntwo\\';\n''3');\n"
    )
    text += "INSERT INTO `sections` (`id`,`name`,`description`) VALUES (2,'B',NULL);\n"
    found = send(text + "-- Dump completed\n", run="true")
    assert (found["state"], total(found)) == ("done", {"created": 2}), found
    described = [each["description"] for each in organization.client.get("/api/v1/sections").json]
    assert described == ["one;\ntwo';\n'3", None]


def test_infobloxs_objects_are_read(organization: Organization, send: Send) -> None:
    """Many kinds of rows in one file, each below its header; what is not kept is told."""
    text = """\
header-network,address*,netmask*,comment,network_view,routers,VLANs,EA-Site
network,10.0.1.0,255.255.255.0,Web,default,"10.0.1.1,10.0.1.2",default/Blue/120,Berlin
header-networkcontainer,address*,netmask*,comment,network_view
networkcontainer,10.0.0.0,8,All,default
networkcontainer,10.0.0.0,8,Lab,lab
header-fixedaddress,ip_address*,mac_address,name,network_view
fixedaddress,10.0.1.7,00:11:22:33:44:55,printer,default
header-hostaddress,parent*,address*,mac_address,configure_for_dhcp,network_view
hostaddress,web.example.com,10.0.1.8,,FALSE,default
header-zone,fqdn*
zone,example.com
header-ipv6network,address*,cidr*,comment,network_view
ipv6network,2001:DB8:0::,64,v6,default
"""
    found = send(text, run="true")
    assert (found["state"], total(found)) == ("done", {"created": 8, "skipped": 1}), found
    networks = subnets(organization)
    web = networks["10.0.1.0/24"]
    assert (web["gateway"], web["vlan_id"], web["description"]) == ("10.0.1.1", "Blue", "Web")
    assert "2001:db8::/64" in networks
    assert addresses(organization)["10.0.1.8"]["hostname"] == "web.example.com"
    assert any("EA-Site" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("document", "networks"),
    [
        (
            {
                "Vpcs": [
                    {
                        "VpcId": "vpc-1",
                        "CidrBlock": "10.0.0.0/16",
                        "CidrBlockAssociationSet": [
                            {"CidrBlock": "10.0.0.0/16"},
                            {"CidrBlock": "10.1.0.0/16"},
                        ],
                        "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2600:1f00::/56"}],
                        "Tags": [{"Key": "Name", "Value": "main"}, {"Key": "env", "Value": "x"}],
                    }
                ]
            },
            {"10.0.0.0/16": "main", "10.1.0.0/16": "main", "2600:1f00::/56": "main"},
        ),
        (
            {
                "IpamPoolAllocations": [
                    {"Cidr": "10.2.0.0/24", "Description": "x", "ResourceId": "r"}
                ]
            },
            {"10.2.0.0/24": "r"},
        ),
        (
            {
                "Subnets": [
                    {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.2.1.0/24"},
                    {
                        "SubnetId": "subnet-2",
                        "VpcId": "vpc-1",
                        "CidrBlock": "10.2.2.0/24",
                        "AvailabilityZone": "eu-central-1a",
                        "Tags": [{"Key": "Name", "Value": "web"}],
                    },
                ]
            },
            {"10.2.1.0/24": "subnet-1", "10.2.2.0/24": "web"},
        ),
        (
            {
                "IpamResourceCidrs": [
                    {
                        "ResourceCidr": "10.2.3.0/24",
                        "ResourceName": "lab",
                        "ResourceId": "vpc-2",
                        "ResourceTags": [],
                    }
                ]
            },
            {"10.2.3.0/24": "lab"},
        ),
        (
            [
                {
                    "name": "vnet",
                    "location": "westeurope",
                    "addressSpace": {"addressPrefixes": ["10.3.0.0/16"]},
                    "subnets": [
                        {"name": "a", "addressPrefix": "10.3.1.0/24"},
                        {"name": "b", "addressPrefixes": ["10.3.2.0/24"]},
                    ],
                }
            ],
            {"10.3.0.0/16": "vnet", "10.3.1.0/24": "a", "10.3.2.0/24": "b"},
        ),
        (
            [
                {
                    "name": "Europe",
                    "desc": "",
                    "blocks": [
                        {
                            "name": "Block",
                            "cidr": "10.4.0.0/16",
                            "vnets": [
                                {
                                    "name": "v",
                                    "prefixes": ["10.4.1.0/24"],
                                    "subnets": [{"name": "s", "prefix": "10.4.1.0/26"}],
                                }
                            ],
                            "externals": [],
                            "resv": [{"id": "r", "cidr": "10.4.9.0/24", "desc": "later"}],
                        }
                    ],
                }
            ],
            {
                "10.4.0.0/16": "Block",
                "10.4.1.0/24": "v",
                "10.4.1.0/26": "s",
                "10.4.9.0/24": "later",
            },
        ),
    ],
)
def test_clouds_tell_their_networks(
    organization: Organization, send: Send, document: object, networks: dict[str, str]
) -> None:
    """What AWS and Azure print about networks becomes subnets with their names."""
    found = send(json.dumps(document, indent=1), run="true")
    assert found["state"] == "done", found
    assert {network: each["name"] for network, each in subnets(organization).items()} == networks


def test_netboxs_api_is_read(organization: Organization, send: Send) -> None:
    """Answers of NetBox's API are read like its CSV: choices by value, others by name."""
    results = [
        {
            "id": 1,
            "family": {"value": 4},
            "prefix": "10.0.0.0/24",
            "vrf": {"id": 1, "name": "Red", "rd": "65000:1"},
            "vlan": {"id": 2, "vid": 120, "name": "Web"},
            "status": {"value": "active", "label": "Active"},
            "role": {"name": "Data"},
            "is_pool": True,
            "description": "Web",
            "custom_fields": {"ticket": "T1"},
        }
    ]
    found = send(json.dumps({"count": 1, "next": None, "results": results}), run="true")
    assert found["state"] == "done", found
    network = subnets(organization)["10.0.0.0/24"]
    assert (network["vrf_id"], network["vlan_id"], network["is_pool"]) == ("Red", "VLAN 120", True)
    told = " ".join(found["notes"])
    assert "role of 1 row" in told
    assert "cf_ticket of 1 row" in told


def test_netboxs_tables_are_read(organization: Organization, send: Send) -> None:
    """A table's export has the headings of the screen; rows that repeat are told and left out."""
    text = (
        "Prefix,Status,Children,VRF,Utilization,Tenant,VLAN,Role,Description\n"
        "10.0.0.0/24,Active,0,Red (65000:1),0.0%,,Data (100),,Web\n"
        "10.0.0.0/24,Active,0,Red (65000:1),0.0%,,,,Other\n"
    )
    found = send(text, run="true")
    assert (found["state"], total(found)["skipped"]) == ("done", 1), found
    [row] = rows(organization, found, outcome="skipped")
    assert row["reason"].startswith("line 2 has the same network; the first one counts")
    network = subnets(organization)["10.0.0.0/24"]
    assert (network["vrf_id"], network["description"]) == ("Red", "Web")


def test_what_netbox_has_more_is_told(organization: Organization, send: Send) -> None:
    """Ranges and groups of VLANs are kept nowhere; their rows say so, and stop nothing."""
    ranges = "start_address,end_address,vrf,status\n10.0.0.5/24,10.0.0.9/24,,active\n"
    groups = "name,slug,vid_ranges\nOffice,office,1-100\n"
    files = {"ranges.csv": ranges.encode(), "groups.csv": groups.encode()}
    found = send(archive(files), run="true")
    assert (found["state"], total(found)) == ("done", {"skipped": 2}), found
    reasons = [row["reason"].partition(";")[0] for row in rows(organization, found)]
    assert reasons == ["a range of addresses", "a group of VLANs"]


def test_azures_networks_beyond_its_own_are_read(organization: Organization, send: Send) -> None:
    """Azure IPAM knows networks elsewhere, their subnets, and addresses in them."""
    space = {
        "name": "Europe",
        "blocks": [
            {
                "name": "Block",
                "cidr": "10.0.0.0/8",
                "externals": [
                    {
                        "name": "Office",
                        "desc": "Berlin",
                        "cidr": "10.1.0.0/16",
                        "subnets": [
                            {
                                "name": "Floor",
                                "cidr": "10.1.1.0/24",
                                "endpoints": [{"name": "printer", "desc": "", "ip": "10.1.1.7"}],
                            }
                        ],
                    }
                ],
            }
        ],
    }
    found = send(json.dumps([space]), run="true")
    assert found["state"] == "done", found
    known = subnets(organization)
    assert {network: each["section_id"] for network, each in known.items()} == dict.fromkeys(
        ("10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24"), "Europe"
    )
    assert addresses(organization)["10.1.1.7"]["hostname"] == "printer"
