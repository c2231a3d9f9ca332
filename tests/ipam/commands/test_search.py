"""`ipcraft search` finds what the API finds."""

from __future__ import annotations

from collections.abc import Callable

from ipcraft.testing import Command
from ipcraft.testing.organizations import Organization

Make = Callable[..., None]


def test_what_is_found_is_printed(command: Command, make: Make) -> None:
    """The best first, a line each, without empty columns."""
    make("10.0.0.0/8", "10.1.0.0/16")
    result = command("search", "net")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["10.0.0.0/8   net 0", "10.1.0.0/16  net 1"]
    assert command("search", "net", "in:10.1.0.0/16").stdout == "10.1.0.0/16  net 1\n"


def test_each_term_is_explained(command: Command, make: Make) -> None:
    """`--explain` says how the terms are understood, also when nothing matches."""
    make("10.0.0.0/8")
    result = command("search", "--explain", "10.0.0.1", "nothere")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        (
            "10.0.0.1: the address 10.0.0.1 and the subnets that contain it, "
            'or any text contains "10.0.0.1"'
        ),
        'nothere: any text contains "nothere"',
    ]
    assert result.stderr == "nothing matches\n"


def test_vlans_and_what_is_in_them_are_printed(
    command: Command, organization: Organization
) -> None:
    """A VLAN, a VRF or a folder says what it is."""
    vlan = organization.client.post("/api/v1/vlans", json={"number": 120, "name": "Web"}).json["id"]
    organization.client.post(
        "/api/v1/subnets", json={"network": "10.0.0.0/8", "name": "All", "vlan_id": vlan}
    )
    assert command("search", "vlan:120").stdout == "10.0.0.0/8  All\nVLAN  120  Web\n"
    result = command("search", "--explain", "vlan:wbe")
    assert result.exit_code == 1
    assert 'there is no VLAN wbe; did you mean "web"?' in result.stdout


def test_texts_cannot_command_the_terminal(command: Command, organization: Organization) -> None:
    """Control characters of a name are printed as spaces."""
    body = {"network": "10.0.0.0/8", "name": "a\x1b[31m\nb"}
    organization.client.post("/api/v1/subnets", json=body)
    assert command("search", "a").stdout == "10.0.0.0/8  a [31m b\n"


def test_a_search_that_cannot_be_meant_is_refused(command: Command, make: Make) -> None:
    """The reason is told."""
    make("10.0.0.0/8")
    result = command("search", "status:actve")
    assert result.exit_code != 0
    assert 'did you mean "active"?' in result.output
