"""Importers of other plugins: asked first, named, and told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipcraft.app import Application
from ipcraft.registry import PluginError
from ipcraft.testing import Organization, make_application, make_organization
from ipcraft.testing.distributions import write_distribution

from .conftest import Send, post, settled

PLUGIN = """
from ipcraft.plugin import hookimpl
from ipcraft_interchange import Entry, Importer

API = 1

def recognizes(document):
    return document.header == ("network", "colour")

def read(document, columns):
    for row in list(document.rows())[1:]:
        network, colour = row.cells
        yield Entry("subnet", {"network": network, "name": colour}, row.line)

@hookimpl
def ipcraft_importers(app):
    return [Importer("NAME", "Colours", recognizes, read)]
"""
COLOURS = b"network,colour\n10.0.0.0/24,red\n"

Enable = Callable[[str], Application]


@pytest.fixture
def enable(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Enable]:
    """Give a way to make an application with a plugin that has an importer of a name."""
    opened: list[Application] = []

    def enable(name: str) -> Application:
        module = f"ipcraft_{name}_reader"
        write_distribution(
            tmp_path,
            f"ipcraft-{name}-reader",
            plugins={f"{name}-reader": module},
            files={f"{module}.py": PLUGIN.replace("NAME", name)},
        )
        monkeypatch.syspath_prepend(tmp_path)
        opened.append(make_application(database_url, enable=[f"{name}-reader"]))
        return opened[-1]

    yield enable
    for app in opened:
        app.close()


def names(organization: Organization) -> list[str | None]:
    """Give the names of all subnets."""
    return [each["name"] for each in organization.client.get("/api/v1/subnets").json]


def test_a_plugin_is_asked_before_us(enable: Enable) -> None:
    """It may read what we would read as any table; with our format named, we read it."""
    organization = make_organization(enable("colours"))
    found = settled(organization, post(organization, COLOURS, run="true").json["id"])
    assert found["notes"] == ["upload: read as Colours (UTF-8 text with commas)"]
    assert names(organization) == ["red"]
    again = settled(organization, post(organization, COLOURS, format="csv").json["id"])
    assert again["notes"][0].startswith("upload: read as Any table")
    assert "upload: colour of 1 row is not kept" in again["notes"]


def test_a_plugins_format_can_be_named(enable: Enable) -> None:
    """Its name is known like ours, and read even where it does not recognize the file."""
    organization = make_organization(enable("colours"))
    body = b"network;tint\n10.0.0.0/24;blue\n"
    found = settled(organization, post(organization, body, format="colours", run="true").json["id"])
    assert found["format"] == "colours"
    assert names(organization) == ["blue"]


def test_a_faulty_importer_is_told(enable: Enable) -> None:
    """Whoever uploaded the file does not wait for an importer that broke."""
    organization = make_organization(enable("colours"))
    body = b"network,colour\n10.0.0.0/24,red,one too many\n"
    found = settled(organization, post(organization, body, run="true").json["id"])
    assert (found["state"], found["reason"]) == (
        "failed",
        "an error stopped it, which the log of the server names",
    )
    assert names(organization) == []


def test_a_name_given_twice_stops_the_start(enable: Enable) -> None:
    """Nobody replaces one of our importers unnoticed."""
    with pytest.raises(PluginError, match="amazon"):
        enable("amazon")


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b"network\n10.0.0.0/24\n", "Any table with networks or addresses"),
        (b"prefix,vrf,status\n10.0.0.0/24,,active\n", "NetBox, CSV"),
        (b"Section,Subnet,Mask\nA,10.0.0.0,24\n", "phpIPAM, CSV or Excel"),
        (b"header-network,address*,netmask*\nnetwork,10.0.0.0,24\n", "Infoblox, CSV"),
        (b'{"Vpcs": [{"CidrBlock": "10.0.0.0/24"}]}', "AWS, JSON of its command line"),
        (b'[{"addressSpace": {"addressPrefixes": ["10.0.0.0/24"]}}]', "Azure, virtual networks"),
        (b'[{"name": "A", "blocks": [{"cidr": "10.0.0.0/24"}]}]', "Azure IPAM, spaces"),
        (
            b'{"prefixes": [{"ip_prefix": "10.0.0.0/24", "service": "S"}]}',
            "Amazon's ip-ranges.json",
        ),
        (b'{"ipcraft_export": 1, "subnets": [{"network": "10.0.0.0/24"}]}', "export as JSON"),
        (b'["10.0.0.0/24"]', "Any JSON list of networks or addresses"),
    ],
)
def test_who_wrote_a_file_is_found_out(
    organization: Organization, send: Send, body: bytes, title: str
) -> None:
    """Each format is known by its header or its first items, and all list the same network."""
    found = send(body, run="true")
    assert (found["state"], title in found["notes"][0]) == ("done", True), found
    assert [each["network"] for each in organization.client.get("/api/v1/subnets").json] == [
        "10.0.0.0/24"
    ]
