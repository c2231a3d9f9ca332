"""`ipcraft tree` shows the hierarchy with its utilization."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from click.testing import Result

from ipcraft.app import Application
from ipcraft.testing import Command
from ipcraft.testing.organizations import Organization
from ipcraft.testing.serving import Served

Make = Callable[..., None]

NETWORKS = (
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "10.2.0.0/16",
    "192.0.2.0/30",
    "2001:db8::/32",
)


def shown(result: Result) -> list[str]:
    """Give the indented networks of the lines."""
    assert result.exit_code == 0
    return [line[:36].rstrip() for line in result.stdout.splitlines()]


def test_children_stand_below_their_parents(command: Command, make: Make) -> None:
    """Each level is indented, addresses rise, IPv4 comes before IPv6."""
    make(*reversed(NETWORKS))
    assert shown(command("tree")) == [
        "10.0.0.0/8",
        "  10.1.0.0/16",
        "    10.1.2.0/24",
        "  10.2.0.0/16",
        "192.0.2.0/30",
        "2001:db8::/32",
    ]


def test_depth_cuts_the_tree(command: Command, make: Make) -> None:
    """0 shows the top alone, 1 its children too."""
    make(*NETWORKS)
    assert shown(command("tree", "--depth", "0")) == ["10.0.0.0/8", "192.0.2.0/30", "2001:db8::/32"]
    assert "    10.1.2.0/24" not in shown(command("tree", "--depth", "1"))
    assert "  10.1.0.0/16" in shown(command("tree", "--depth", "1"))


def test_a_branch_is_named_by_network_or_id(
    command: Command, make: Make, organization: Organization
) -> None:
    """A subnet shows itself and what is below it, nothing beside it."""
    make(*NETWORKS)
    found = organization.client.get("/api/v1/subnets", params={"network": "10.1.0.0/16"}).json
    for name in ("10.1.0.0/16", found[0]["id"]):
        assert shown(command("tree", name)) == ["10.1.0.0/16", "  10.1.2.0/24"]


def test_a_branch_ends_where_its_page_does(command: Command, make: Make) -> None:
    """A branch of more subnets than are read at once is whole."""
    make("10.0.0.0/8", *(f"10.{n >> 8}.{n & 255}.0/24" for n in range(1200)), "11.0.0.0/8")
    lines = shown(command("tree", "10.0.0.0/8"))
    assert (len(lines), lines[-1]) == (1201, "  10.4.175.0/24")


def test_a_line_tells_how_much_is_used(
    command: Command, make: Make, organization: Organization
) -> None:
    """A bar, the share, used and usable addresses, and the name; descendants count."""
    make("10.0.0.0/29", "10.0.0.0/30", "2001:db8::/32")
    assert command("next", "--count", "2", "10.0.0.0/30").exit_code == 0
    assert command("tree").stdout.splitlines() == [
        "10.0.0.0/29                          ███░░░░░░░  33.3%          2/6  net 0",
        "  10.0.0.0/30                        ██████████ 100.0%          2/2  net 1",
        "2001:db8::/32                        ░░░░░░░░░░   0.0%       0/2^96  net 2",
    ]


def test_an_unknown_subnet_is_a_message(command: Command, make: Make) -> None:
    """The smallest subnet around it helps to find what was meant."""
    make("10.0.0.0/8")
    result = command("tree", "10.1.0.0/16")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: there is no subnet 10.1.0.0/16; the smallest around it is 10.0.0.0/8\n",
    )
    assert command("tree", "nonsense").stderr.startswith("Error: 'nonsense' has no prefix length")


def test_each_vrf_has_a_tree_of_its_own(
    command: Command, make: Make, organization: Organization
) -> None:
    """The global VRF comes first; `--vrf` shows one, by its name, route distinguisher or id."""
    make("10.0.0.0/8", "10.1.0.0/16")
    body = {"name": "Blue", "rd": "65000:1"}
    vrf_id = organization.client.post("/api/v1/vrfs", json=body).json["id"]
    for network in ("10.1.0.0/16", "10.1.1.0/24"):
        body = {"network": network, "vrf_id": vrf_id}
        assert organization.client.post("/api/v1/subnets", json=body).status_code == 201
    whole, blue = ["10.0.0.0/8", "  10.1.0.0/16"], ["VRF Blue", "10.1.0.0/16", "  10.1.1.0/24"]
    assert shown(command("tree")) == [*whole, *blue]
    for name in ("Blue", "65000:1", vrf_id):
        assert shown(command("tree", "--vrf", name)) == blue
    assert shown(command("tree", "--vrf", "")) == whole
    assert shown(command("tree", "10.1.0.0/16")) == ["10.1.0.0/16"]
    assert shown(command("tree", "10.1.0.0/16", "--vrf", "Blue")) == blue
    assert command("tree", "--vrf", "Red").stderr == "Error: there is no VRF Red\n"
    missing = command("tree", "10.2.0.0/16", "--vrf", "Blue").stderr
    assert missing == "Error: there is no subnet 10.2.0.0/16 in VRF Blue\n"


def test_nothing_is_an_empty_tree(command: Command, organization: Organization) -> None:
    """An organization without subnets prints no line."""
    result = command("tree")
    assert (result.exit_code, result.output) == (0, "")


def test_a_reader_may_stop_early(
    make: Make, application: Application, organization: Organization
) -> None:
    """Piped into `head`, the program ends without a complaint."""
    make(*(f"10.{n >> 8}.{n & 255}.0/24" for n in range(1500)))
    command = [sys.executable, "-m", "ipcraft", "--database", application.settings.database_url]
    with subprocess.Popen(
        [*command, "tree"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"10.0.0.0/24")
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_terminal_without_unicode_gets_plain_bars(
    make: Make, application: Application, organization: Organization
) -> None:
    """Bars are drawn with what the output can show."""
    make("10.0.0.0/24")
    command = [sys.executable, "-m", "ipcraft", "--database", application.settings.database_url]
    printed = subprocess.run(
        [*command, "tree"],
        env={"PYTHONIOENCODING": "ascii", **_path()},
        capture_output=True,
        check=True,
    ).stdout
    assert b" ..........   0.0%" in printed


def _path() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(entry for entry in sys.path if entry)}


def test_a_server_may_be_asked(command: Command, served: Served) -> None:
    """`--url` and `--key` show the tree of a served process, of a branch and of a VRF too."""
    org = served.organization()
    vrf = org.post("/api/v1/vrfs", json={"name": "Blue", "rd": "65000:1"}).json()["id"]
    for network in ("10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.2.0.0/16"):
        org.post("/api/v1/subnets", json={"network": network, "name": f"net {network}"})
    org.post("/api/v1/subnets", json={"network": "10.1.0.0/16", "vrf_id": vrf})

    def shown(*arguments: str) -> list[str]:
        result = command("tree", "--url", served.url, "--key", org.key, *arguments)
        assert result.exit_code == 0, result.stderr
        return [line[:36].rstrip() for line in result.output.splitlines()]

    below = ["  10.1.0.0/16", "    10.1.1.0/24", "  10.2.0.0/16"]
    assert shown() == ["10.0.0.0/8", *below, "VRF Blue", "10.1.0.0/16"]
    assert shown("--depth", "1", "--vrf", "Blue") == ["VRF Blue", "10.1.0.0/16"]
    assert shown("10.1.0.0/16") == ["10.1.0.0/16", "  10.1.1.0/24"]
    first, *_ = command("tree", "--url", served.url, "--key", org.key).output.splitlines()
    assert first.endswith("0.0%               net 10.0.0.0/8")
    missing = command("tree", "10.9.0.0/16", "--url", served.url, "--key", org.key)
    assert missing.stderr == "Error: there is no subnet 10.9.0.0/16\n"
