"""`ipcraft load` makes subnets of what a file lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from ipcraft.app import Application
from ipcraft.testing.organizations import Organization
from ipcraft_ipam.hierarchy import create
from ipcraft_ipam.loading import load
from ipcraft_ipam.network_files import ListedNetwork
from ipcraft_ipam.networks import parse_network

Run = Callable[..., Result]

AMAZON = {
    "syncToken": "1",
    "prefixes": [
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON"},
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "S3"},
        {"ip_prefix": "3.5.0.0/16", "region": "GLOBAL", "service": "AMAZON"},
    ],
    "ipv6_prefixes": [
        {"ipv6_prefix": "2600:1f00::/24", "region": "us-east-1", "service": "EC2"},
    ],
}


def listed(organization: Organization) -> dict[str, tuple[str | None, str | None]]:
    """Give name and description of each subnet."""
    found = organization.client.get("/api/v1/subnets").json
    return {each["network"]: (each["name"], each["description"]) for each in found}


def test_amazons_file_is_loaded_as_it_is_published(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """Each network once, named after its service and region, the services as description."""
    (tmp_path / "ip-ranges.json").write_text(json.dumps(AMAZON))
    result = run("load", "ip-ranges.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "3 networks: 3 created, 0 already there, 0 refused\n"
    assert listed(organization) == {
        "3.5.0.0/16": ("AMAZON GLOBAL", "AMAZON"),
        "3.5.140.0/22": ("S3 ap-northeast-2", "AMAZON, S3"),
        "2600:1f00::/24": ("EC2 us-east-1", "EC2"),
    }


def test_loading_again_changes_nothing(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """What is there is left as it is, even under another name; nothing is recorded."""
    (tmp_path / "a.csv").write_text("network,name\n10.0.0.0/8,first\n10.1.0.0/16,\n")
    run("load", "a.csv")
    before = organization.client.get("/api/v1/activity").json
    (tmp_path / "a.csv").write_text("network,name\n10.0.0.0/8,second\n10.1.0.0/16,third\n")
    result = run("load", "a.csv", "--section", "New")
    assert result.stdout == "2 networks: 0 created, 2 already there, 0 refused\n"
    assert listed(organization) == {"10.0.0.0/8": ("first", None), "10.1.0.0/16": (None, None)}
    assert organization.client.get("/api/v1/activity").json == before


def test_a_file_may_be_loaded_over_some_of_its_networks(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """Only what is missing is created."""
    (tmp_path / "a.txt").write_text("10.0.0.0/8\n")
    run("load", "a.txt")
    (tmp_path / "a.txt").write_text("10.0.0.0/8\n10.1.0.0/16\n")
    assert run("load", "a.txt").stdout == "2 networks: 1 created, 1 already there, 0 refused\n"


def test_subnets_go_into_the_vrf_named(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """A VRF is made once, and found again by name or route distinguisher; others stay as they were.

    An id must be that of one.
    """
    (tmp_path / "a.txt").write_text("10.0.0.0/8\n")
    created, present = "1 created, 0 already there", "0 created, 1 already there"
    for arguments, outcome in (((), created), (("--vrf", "Blue"), created)):
        assert outcome in run("load", "a.txt", *arguments).stdout
    (vrf,) = organization.client.get("/api/v1/vrfs").json
    organization.client.patch(f"/api/v1/vrfs/{vrf['id']}", json={"rd": "65000:1"})
    for name in ("Blue", "65000:1", vrf["id"]):
        assert present in run("load", "a.txt", "--vrf", name).stdout
    result = run("load", "a.txt", "--vrf", "vrf_01h455vb4pex5vsknk084sn02q")
    assert (result.exit_code, result.stderr) == (1, "Error: VRF not found\n")
    subnets = organization.client.get("/api/v1/subnets").json
    assert [each["vrf_id"] for each in subnets] == [None, vrf["id"]]
    assert len(organization.client.get("/api/v1/vrfs").json) == 1


def test_subnets_go_into_the_section_named(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """The folder is made when there is none of the name, and found when there is one."""
    for network in ("10.0.0.0/8", "192.0.2.0/24"):
        (tmp_path / "a.txt").write_text(f"{network}\n")
        assert run("load", "a.txt", "--section", "Cloud").exit_code == 0
    (section,) = organization.client.get("/api/v1/sections").json
    assert section["name"] == "Cloud"
    subnets = organization.client.get("/api/v1/subnets").json
    assert {subnet["section_id"] for subnet in subnets} == {section["id"]}


def test_sections_of_one_name_are_refused(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """Nothing is loaded when the folder meant is not clear."""
    for _ in range(2):
        organization.client.post("/api/v1/sections", json={"name": "Twin"})
    (tmp_path / "a.txt").write_text("10.0.0.0/8\n")
    result = run("load", "a.txt", "--section", "Twin")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: 2 folders are called 'Twin': rename all but one\n",
    )
    assert listed(organization) == {}


def test_a_bad_row_stops_all_and_names_its_place(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """File, line and column of every bad network are named, and nothing is loaded."""
    (tmp_path / "a.csv").write_text("name,network\na,10.0.0.0/8\nb,10.0.0.1/8\nc,nonsense\n")
    result = run("load", "a.csv")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        (
            "Error: a.csv, line 3, column network: "
            "'10.0.0.1/8' has host bits set: did you mean 10.0.0.0/8?"
        ),
        (
            "a.csv, line 4, column network: "
            "'nonsense' has no prefix length: write it like 10.0.1.0/24"
        ),
    ]
    assert listed(organization) == {}


def test_what_a_rule_refuses_is_told_and_the_rest_is_loaded(
    run: Run, application: Application, organization: Organization, tmp_path: Path
) -> None:
    """A network that would make an assigned address its broadcast address is left out."""
    client = organization.client
    parent = client.post("/api/v1/subnets", json={"network": "10.0.0.0/16"}).json
    taken = client.post(f"/api/v1/subnets/{parent['id']}/addresses", json={"ip": "10.0.1.255"})
    assert taken.status_code == 201
    (tmp_path / "a.txt").write_text("10.0.0.0/24\n10.0.1.0/24\n10.0.2.0/24\n")
    result = run("load", "a.txt")
    assert result.exit_code == 1
    assert result.stdout == "3 networks: 2 created, 0 already there, 1 refused\n"
    assert result.stderr == (
        "refused 10.0.1.0/24: address 10.0.1.255 is assigned and would become the broadcast "
        "address of 10.0.1.0/24\n"
    )
    assert set(listed(organization)) == {"10.0.0.0/16", "10.0.0.0/24", "10.0.2.0/24"}
    recorded = client.get("/api/v1/activity").json
    assert not any("10.0.1.0/24" in entry["details"] for entry in recorded)
    assert run("verify").exit_code == 0


def test_more_networks_than_a_transaction_takes(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """A long file is loaded in parts, whatever its order."""
    rows = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(1100)] + ["10.0.0.0/8"]
    (tmp_path / "a.txt").write_text("\n".join(rows))
    assert run("load", "a.txt").stdout.startswith("1101 networks: 1101 created")
    (root,) = organization.client.get("/api/v1/subnets", params={"network": "10.0.0.0/8"}).json
    children = organization.client.get("/api/v1/subnets", params={"parent_id": root["id"]}).json
    assert len(children) == 1100


def test_the_organization_must_be_named_when_there_are_several(
    run: Run, application: Application, organization: Organization, tmp_path: Path
) -> None:
    """The error names them, and `--org` chooses one."""
    (tmp_path / "a.txt").write_text("10.0.0.0/8\n")
    assert run("org", "create", "Other", "--owner", "o@example.com").exit_code == 0
    result = run("load", "a.txt")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: say which organization is meant with --org: Test ")
    assert "Other" in result.stderr
    assert run("load", "a.txt", "--org", organization.id).exit_code == 0
    assert run("load", "a.txt", "--org", "Other").exit_code == 0
    assert set(listed(organization)) == {"10.0.0.0/8"}


def test_there_must_be_an_organization(run: Run, tmp_path: Path) -> None:
    """Without any, the error says how to make one."""
    (tmp_path / "a.txt").write_text("10.0.0.0/8\n")
    result = run("load", "a.txt")
    assert result.exit_code == 1
    assert "ipcraft org create NAME --owner EMAIL" in result.stderr


def test_a_subnet_made_meanwhile_counts_as_present(
    application: Application, organization: Organization
) -> None:
    """Who is overtaken by another load leaves the other's subnet alone."""
    networks = [parse_network(text) for text in ("10.0.0.0/8", "10.1.0.0/16")]

    def overtake(done: int) -> None:
        if not done:
            application.storage.transact(
                organization.id, lambda tx: create(tx, networks[1], {"name": "faster"})
            )

    loaded = load(
        application.storage,
        organization.id,
        [ListedNetwork(network) for network in networks],
        advance=overtake,
    )
    assert (loaded.created, loaded.present, loaded.refused) == (1, 1, [])
    assert listed(organization)["10.1.0.0/16"] == ("faster", None)
