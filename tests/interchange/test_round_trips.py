"""What is exported is imported as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipcraft.app import Application
from ipcraft.testing import Organization, make_organization
from ipcraft_interchange.formats import BUILT_IN
from ipcraft_interchange.importing import opened
from ipcraft_interchange.intake import Choices, Upload
from ipcraft_interchange.writing import Target

from .conftest import DATA, Send, drifts, exported, netbox, post, settled, total

_TOLD_ONLY = ("created_at", "updated_at")
_IDS = ("vrf_id", "section_id", "vlan_id")


def everything(document: bytes) -> dict[str, list[dict[str, Any]]]:
    """Give an export with ids replaced by what they name, and without times."""
    lists: dict[str, list[dict[str, Any]]] = json.loads(document)
    lists.pop("ipcraft_export")
    places = {
        row["id"]: (name, index) for name, rows in lists.items() for index, row in enumerate(rows)
    }
    return {
        name: [
            {
                key: places.get(value, value) if key in (*_IDS, "id") else value
                for key, value in row.items()
                if key not in _TOLD_ONLY
            }
            for row in rows
        ]
        for name, rows in lists.items()
    }


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("source", ["netbox", "amazon"])
def test_real_data_go_in_and_out_and_in(
    application: Application, organization: Organization, send: Send, form: str, source: str
) -> None:
    """NetBox's demo data and Amazon's ranges go into a second organization unchanged."""
    body = netbox() if source == "netbox" else (DATA / "ip-ranges.json").read_bytes()
    first = send(body, run="true")
    assert (first["state"], set(total(first))) == ("done", {"created"})
    second = make_organization(application)
    answer = post(second, exported(organization, form), run="true")
    found = settled(second, answer.json["id"])
    assert (found["state"], found["counts"]["total"]) == ("done", first["counts"]["total"])
    assert everything(exported(second)) == everything(exported(organization))
    assert drifts(application, second) == []


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_changes_nothing_where_it_comes_from(
    organization: Organization, send: Send, form: str
) -> None:
    """Importing one's own export is no change at all."""
    send(netbox(), run="true")
    before = exported(organization)
    again = send(exported(organization, form), run="true")
    assert (again["state"], set(total(again))) == ("done", {"skipped"})
    assert exported(organization) == before


def test_an_export_restores_what_was_changed(organization: Organization, send: Send) -> None:
    """An export says everything: what was filled in since is emptied again."""
    send("network,section\n10.0.0.0/24,Berlin\n", run="true")
    backup = exported(organization, "csv")
    [subnet] = organization.client.get("/api/v1/subnets").json
    changes = {"name": "New", "section_id": None, "gateway": "10.0.0.1"}
    answer = organization.client.patch(f"/api/v1/subnets/{subnet['id']}", json=changes)
    assert answer.status_code == 200
    send(backup, run="true")
    [restored] = organization.client.get("/api/v1/subnets").json
    kept = {name: restored[name] for name in ("name", "section_id", "gateway")}
    assert kept == {"name": None, "section_id": subnet["section_id"], "gateway": None}


_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12
) | st.sampled_from(["=1+1", "'", "''", "@SUM(A1)", "-5", '"', ";", "a,b\r\nc", "\ttab", "\u2028"])
_OPTIONAL = st.none() | st.just("") | _TEXTS


@st.composite
def inventories(draw: st.DrawFn) -> dict[str, Any]:
    """Give bodies of an inventory: what is referred to by its place in the lists."""
    vrfs = draw(st.lists(_TEXTS, max_size=2, unique=True))
    vlans = draw(st.lists(st.tuples(st.integers(1, 4094), _TEXTS), max_size=2, unique=True))
    subnets = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "2001:db8::/64"]),
                st.integers(0, len(vrfs)),
            ),
            max_size=4,
            unique=True,
        )
    )
    return {
        "sections": draw(st.lists(st.tuples(_TEXTS, _OPTIONAL, st.integers(-3, 3)), max_size=3)),
        "vrfs": vrfs,
        "vlans": vlans,
        "subnets": [
            (
                network,
                vrf,
                draw(_OPTIONAL),
                draw(_OPTIONAL),
                draw(st.booleans()),
                draw(st.integers(0, 3)),
            )
            for network, vrf in subnets
        ],
        "hosts": draw(st.lists(st.tuples(st.integers(1, 200), _OPTIONAL, _OPTIONAL), max_size=5)),
    }


def fill(organization: Organization, inventory: Mapping[str, Any]) -> None:
    """Make an inventory through the API."""

    def make(path: str, body: dict[str, Any]) -> str:
        answer = organization.client.post(path, json=body)
        assert answer.status_code in (201, 400), answer.text
        return str(answer.json.get("id", ""))

    sections = [
        make("/api/v1/sections", {"name": name, "description": description, "sort_order": order})
        for name, description, order in inventory["sections"]
    ]
    vrfs = [make("/api/v1/vrfs", {"name": name}) for name in inventory["vrfs"]]
    vlans = [
        make("/api/v1/vlans", {"number": number, "name": name})
        for number, name in inventory["vlans"]
    ]
    for network, vrf, name, description, is_pool, place in inventory["subnets"]:
        body = {
            "network": network,
            "vrf_id": vrfs[vrf - 1] if vrf else None,
            "name": name,
            "description": description,
            "is_pool": is_pool,
            "section_id": sections[place] if place < len(sections) else None,
            "vlan_id": vlans[place] if place < len(vlans) else None,
        }
        subnet_id = make("/api/v1/subnets", body)
        base = network.partition("/")[0]
        for host, hostname, owner in inventory["hosts"]:
            ip = f"{base}{host:x}" if ":" in base else f"{base.rpartition('.')[0]}.{host}"
            path = f"/api/v1/subnets/{subnet_id}/addresses"
            make(path, {"ip": ip, "hostname": hostname, "owner": owner, "status": "dhcp"})


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(inventory=inventories(), form=st.sampled_from(["csv", "json"]))
def test_export_then_import_is_identity(
    application: Application,
    tmp_path_factory: pytest.TempPathFactory,
    inventory: dict[str, Any],
    form: str,
) -> None:
    """Whatever an organization has, an empty one that imports its export has the same."""
    first, second = make_organization(application), make_organization(application)
    fill(first, inventory)
    path = tmp_path_factory.mktemp("export") / "file"
    path.write_bytes(exported(first, form))
    with opened(Target(application.storage, second.id, None)) as current:
        current.read(
            [Upload("file", path)], importers=BUILT_IN[::-1], choices=Choices(), limit=1 << 30
        )
        current.check()
        current.write()
    assert everything(exported(second)) == everything(exported(first))
    assert drifts(application, second) == []
