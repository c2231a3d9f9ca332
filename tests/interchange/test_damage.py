"""Files with something wrong anywhere in them: a report says so, whatever it is."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from ipcraft_interchange.formats import BUILT_IN
from ipcraft_interchange.intake import Choices, Intake, Upload
from ipcraft_interchange.naming import Names
from ipcraft_interchange.staging import Staging

from .conftest import DATA

DOCUMENTS: dict[str, Any] = {
    "amazon": {
        "prefixes": [{"ip_prefix": "10.0.0.0/24", "service": "S", "region": "r"}],
        "ipv6_prefixes": [{"ipv6_prefix": "2001:db8::/64", "service": "S"}],
    },
    "aws": {
        "Vpcs": [
            {
                "VpcId": "vpc-1",
                "CidrBlock": "10.0.0.0/16",
                "CidrBlockAssociationSet": [{"CidrBlock": "10.1.0.0/16"}],
                "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2001:db8::/56"}],
                "Tags": [{"Key": "Name", "Value": "main"}],
            }
        ]
    },
    "azure": [
        {
            "name": "vnet",
            "location": "westeurope",
            "addressSpace": {"addressPrefixes": ["10.3.0.0/16"]},
            "subnets": [
                {"name": "a", "addressPrefix": "10.3.1.0/24"},
                {"name": "b", "properties": {"addressPrefixes": ["10.3.2.0/24"]}},
            ],
        }
    ],
    "azure-ipam": [
        {
            "name": "Europe",
            "blocks": [
                {
                    "name": "Block",
                    "cidr": "10.4.0.0/16",
                    "vnets": [
                        {"prefixes": ["10.4.1.0/24"], "subnets": [{"prefix": "10.4.1.0/26"}]}
                    ],
                    "externals": [
                        {
                            "cidr": "10.5.0.0/16",
                            "subnets": [{"cidr": "10.5.1.0/24", "endpoints": [{"ip": "10.5.1.1"}]}],
                        }
                    ],
                    "resv": [{"cidr": "10.4.9.0/24", "desc": "later"}],
                }
            ],
        }
    ],
    "netbox": {
        "results": [
            {
                "family": {"value": 4},
                "prefix": "10.0.0.0/24",
                "vrf": {"name": "Red", "rd": "65000:1"},
                "vlan": {"vid": 120, "name": "Web"},
                "status": {"value": "active"},
                "is_pool": True,
                "custom_fields": {"ticket": "T1"},
                "tags": [{"display": "x"}],
            },
            {"address": "10.0.0.1/24", "family": {"value": 4}, "dns_name": "x"},
            {"vid": 1, "name": "x", "site": None, "status": {"value": "active"}},
        ]
    },
    "own": {
        "ipcraft_export": 1,
        "sections": [{"id": "sec_1", "name": "A", "sort_order": 1}],
        "vrfs": [{"id": "vrf_1", "name": "Red", "rd": "65000:1"}],
        "vlans": [{"id": "vlan_1", "number": 1, "name": "x"}],
        "subnets": [
            {"network": "10.0.0.0/24", "vrf_id": "vrf_1", "vlan_id": "vlan_1", "is_pool": False}
        ],
        "addresses": [{"ip": "10.0.0.2", "vrf": "Red", "mac_address": "00:11:22:33:44:55"}],
    },
    "any": [{"network": "10.0.0.0/24", "vlan": 5}, {"ip": "10.0.0.1"}, "10.0.0.0/8"],
}
JUNK: list[Any] = [
    None, 5, -1, 1.5, True, "", "x", [], {}, [5], {"a": 1}, "10.0.0.0/8", [None], {"value": {}},
    "\ud800", "\0", "x" * 300, 10**30, [[]], {"Key": None}, {"name": []}
]  # fmt: skip
TEXTS = {
    "phpipam": (DATA / "phpipam.sql").read_text(),
    "netbox": (DATA / "netbox-prefixes.csv").read_text()[:1500],
    "infoblox": "header-network,address*,netmask*,network_view,routers,VLANs\n"
    "network,10.0.1.0,255.255.255.0,default,10.0.1.1,default/Blue/120\n"
    "header-hostaddress,parent*,address*\nhostaddress,web,10.0.1.8\n",
    "sections": "Name,Description,Parent\nA,,B\nB,,A\nC,,\n",
    "any": "ip;hostname;vlan;subnet;mask\n10.0.0.1;x;5;10.0.0.0/24;24\n",
}
MANY = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read(folder: Path, body: bytes) -> int:
    """Read a file as an import does, and give how many rows its report has."""
    path = folder / "file"
    path.write_bytes(body)
    staging = Staging(folder)
    try:
        intake = Intake(
            staging,
            Names(),
            importers=BUILT_IN[::-1],
            choices=Choices(),
            advance=lambda done: None,
        )
        intake.read([Upload("file", path)], folder=folder, limit=1 << 26)
        return sum(staging.counts().values())
    finally:
        staging.close()


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give every place in a document: what it is in, and its key there."""
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        yield value, key
        yield from places(value[key])


@pytest.mark.parametrize("name", DOCUMENTS)
@MANY
@given(data=st.data())
def test_any_value_may_be_anything(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Wherever in a document something else stands than was expected, there is a report."""
    document = json.loads(json.dumps(DOCUMENTS[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        found = list(places(document))
        where, key = found[data.draw(st.integers(0, len(found) - 1))]
        where[key] = data.draw(st.sampled_from(JUNK))
        document = json.loads(json.dumps(document))
    assert read(tmp_path_factory.mktemp("odd"), json.dumps(document).encode()) > 0


def damaged(body: bytes, data: st.DataObject, scraps: list[bytes]) -> bytes:
    """Put scraps into a file, or leave some of it out."""
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        gone = data.draw(st.sampled_from([0, 1, 7, 30]))
        body = body[:at] + data.draw(st.sampled_from(scraps)) + body[at + gone :]
    return body


SCRAPS = [
    b"", b'"', b"'", b"\n", b"\r", b";", b"\t", b"|", b"(", b"NULL", b"-1", b"9" * 50, b"\\'",
    b";\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"/", b".", b"`", b")\n"
]  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@MANY
@given(data=st.data())
def test_any_text_may_be_damaged(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    """Wherever a table or a dump is cut or scribbled on, there is a report."""
    body = damaged(TEXTS[name].encode(), data, SCRAPS)
    assert read(tmp_path_factory.mktemp("odd"), body) > 0


def workbook() -> bytes:
    """Give an Excel file of a few rows."""
    book = Workbook()
    sheet = book.worksheets[0]
    lines: list[list[str]] = [["network", "name"], ["10.0.0.0/24", "A"], ["10.0.1.0/24", "7"]]
    for line in lines:
        sheet.append(line)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


@pytest.mark.parametrize("body", [workbook(), (DATA / "phpipam-addresses.xls").read_bytes()])
@MANY
@given(data=st.data())
def test_any_workbook_may_be_damaged(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, data: st.DataObject
) -> None:
    """The readers of others raise many things where a file is not what it says: all are told."""
    scraps = [b"", b"\0", b"\xff", b"\xff\xff\xff\x7f", b"PK\x01\x02", b"\x01\x00\x00\x00"]
    assert read(tmp_path_factory.mktemp("odd"), damaged(body, data, scraps)) > 0
