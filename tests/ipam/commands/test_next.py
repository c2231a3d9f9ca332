"""`ipcraft next` takes addresses, from the database or from a server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from ipcraft.app import Application
from ipcraft.testing import Command
from ipcraft.testing.organizations import Organization
from ipcraft.testing.services import free_port

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served

Ask = Callable[..., Result]
Make = Callable[..., None]


@pytest.fixture
def org(served: Served) -> Org:
    """Give an organization of the served process with one subnet."""
    made = served.organization()
    assert made.post("/api/v1/subnets", json={"network": "10.0.0.0/24"}).status_code == 201
    return made


@pytest.fixture
def ask(command: Command, served: Served, org: Org) -> Ask:
    """Give a way to run `ipcraft next` against the served process."""

    def ask(*arguments: str) -> Result:
        return command("next", "--url", served.url, "--key", org.key, *arguments)

    return ask


def test_the_address_is_all_that_is_printed(
    command: Command, make: Make, organization: Organization
) -> None:
    """A script takes the output as it is."""
    make("10.0.0.0/24")
    assert command("next", "10.0.0.0/24").output == "10.0.0.1\n"
    (subnet,) = organization.client.get("/api/v1/subnets").json
    assert command("next", subnet["id"]).output == "10.0.0.2\n"


def test_several_are_printed_one_on_a_line(command: Command, make: Make) -> None:
    """`--count` takes so many, or none."""
    make("10.0.0.0/29")
    assert command("next", "10.0.0.0/29", "--count", "4").output.split() == [
        f"10.0.0.{n}" for n in range(1, 5)
    ]
    result = command("next", "10.0.0.0/29", "--count", "3")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: Subnet 10.0.0.0/29 has not 3 free addresses left")


def test_the_fields_of_an_address_may_be_given(
    command: Command, make: Make, organization: Organization
) -> None:
    """What is known of the address goes with it."""
    make("10.0.0.0/24")
    arguments = ("--hostname", "db1", "--mac", "001a.2b3c.4d5e", "--description", "Database")
    command("next", "10.0.0.0/24", *arguments, "--status", "reserved", "--owner", "Ada")
    (address,) = organization.client.get("/api/v1/addresses").json
    assert {
        name: address[name]
        for name in ("hostname", "mac_address", "description", "status", "owner")
    } == {
        "hostname": "db1",
        "mac_address": "00:1A:2B:3C:4D:5E",
        "description": "Database",
        "status": "reserved",
        "owner": "Ada",
    }


def test_the_strategy_may_be_chosen(command: Command, make: Make) -> None:
    """The plugins' strategies are known by name."""
    make("10.0.0.0/24")
    assert command("next", "10.0.0.0/24", "--strategy", "last").output == "10.0.0.254\n"
    result = command("next", "10.0.0.0/24", "--strategy", "lst")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: there is no strategy 'lst'; did you mean \"last\"?")


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--mac", "zz", "Error: --mac: 'zz' is not a MAC address"),
        ("--status", "gone", "Error: --status: must be one of active, assigned, "),
        ("--hostname", "x" * 256, "Error: --hostname: "),
    ],
)
def test_a_bad_field_is_named_by_its_option(
    command: Command, make: Make, option: str, value: str, complaint: str
) -> None:
    """Nothing is taken then."""
    make("10.0.0.0/24")
    result = command("next", "10.0.0.0/24", option, value)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(complaint)
    assert command("next", "10.0.0.0/24").output == "10.0.0.1\n"


def test_the_vrf_may_be_named(command: Command, make: Make, organization: Organization) -> None:
    """`--vrf` says in which VRF the network is."""
    make("10.0.0.0/24")
    body = {"name": "Blue", "rd": "65000:1"}
    vrf_id = organization.client.post("/api/v1/vrfs", json=body).json["id"]
    body = {"network": "10.0.0.0/24", "vrf_id": vrf_id}
    assert organization.client.post("/api/v1/subnets", json=body).status_code == 201
    assert command("next", "10.0.0.0/24").output == "10.0.0.1\n"
    for number, name in enumerate(("Blue", "65000:1", vrf_id), start=1):
        assert command("next", "10.0.0.0/24", "--vrf", name).output == f"10.0.0.{number}\n"
    assert command("next", "10.0.0.0/24", "--vrf", "Red").stderr == "Error: there is no VRF Red\n"


def test_a_server_is_asked_for_a_subnet_of_a_vrf(ask: Ask, org: Org) -> None:
    """`--vrf` goes with `--url` too."""
    body = {"name": "Blue", "rd": "65000:1"}
    vrf_id = org.post("/api/v1/vrfs", json=body).json()["id"]
    body = {"network": "10.0.0.0/24", "vrf_id": vrf_id}
    assert org.post("/api/v1/subnets", json=body).status_code == 201
    assert ask("10.0.0.0/24").output == "10.0.0.1\n"
    for number, name in enumerate(("Blue", "65000:1", vrf_id), start=1):
        assert ask("10.0.0.0/24", "--vrf", name).output == f"10.0.0.{number}\n"
    assert ask("10.0.0.0/24", "--vrf", "Red").stderr == "Error: there is no VRF Red\n"
    missing = ask("10.9.0.0/24", "--vrf", "Blue").stderr
    assert missing == "Error: there is no subnet 10.9.0.0/24 in VRF Blue\n"


def test_a_server_may_be_asked(ask: Ask, served: Served, org: Org) -> None:
    """`--url` and `--key` take the address from a served process."""
    assert ask("10.0.0.0/24").output == "10.0.0.1\n"
    (subnet,) = org.get("/api/v1/subnets").json()
    assert ask(subnet["id"], "--count", "2", "--hostname", "db1").output == "10.0.0.2\n10.0.0.3\n"
    hostnames = [each["hostname"] for each in org.get("/api/v1/addresses").json()]
    assert hostnames == [None, "db1", "db1"]


def test_the_environment_names_the_server(
    command: Command, served: Served, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPCRAFT_URL and IPCRAFT_API_KEY stand for the options."""
    monkeypatch.setenv("IPCRAFT_URL", f"{served.url}/")
    monkeypatch.setenv("IPCRAFT_API_KEY", org.key)
    assert command("next", "10.0.0.0/24").output == "10.0.0.1\n"


def test_what_the_server_refuses_is_passed_on(ask: Ask) -> None:
    """The server's sentence is the message."""
    assert ask("10.9.0.0/24").stderr == "Error: there is no subnet 10.9.0.0/24\n"
    result = ask("10.0.0.0/24", "--strategy", "nonsense")
    assert result.exit_code == 1
    assert "answered 400: there is no strategy" in result.stderr


def test_a_bad_key_is_a_message(command: Command, served: Served) -> None:
    """A refused key ends with status 1."""
    result = command("next", "--url", served.url, "--key", "nonsense", "10.0.0.0/24")
    assert result.exit_code == 1
    assert "answered 401: " in result.stderr


def test_a_server_that_is_not_there_is_a_message(command: Command) -> None:
    """The address that was tried is named."""
    url = f"http://127.0.0.1:{free_port()}"
    result = command("next", "--url", url, "--key", "k", "10.0.0.0/24")
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {url}/api/v1/subnets cannot be reached\n",
    )


@pytest.mark.parametrize("url", ["ftp://x", "nonsense"])
def test_an_url_that_is_none_is_a_message(command: Command, url: str) -> None:
    """A mistyped address is told as such."""
    result = command("next", "--url", url, "--key", "k", "10.0.0.0/24")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {url}/api/v1/subnets: ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--url", "http://x"), "--url needs an API key"),
        (("--url", "http://x", "--key", "k", "--org", "o"), "--org goes with the database"),
        (("--count", "0"), "--count"),
        (("--count", "257"), "--count"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    command: Command, arguments: tuple[str, ...], complaint: str
) -> None:
    """A usage error ends with status 2."""
    result = command("next", "10.0.0.0/24", *arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_sixteen_shells_get_sixteen_addresses(served: Served, org: Org) -> None:
    """Whoever asks at the same time gets an address nobody else gets."""
    environ = {**os.environ, "IPCRAFT_URL": served.url, "IPCRAFT_API_KEY": org.key}
    taken = _together(16, ["next", "10.0.0.0/24"], environ)
    assert len(set(taken)) == 16


def test_shells_on_one_database_get_different_addresses(
    make: Make, application: Application, organization: Organization
) -> None:
    """The same without a server between them."""
    make("10.0.0.0/24")
    database = ["--database", application.settings.database_url]
    taken = _together(4, [*database, "next", "10.0.0.0/24"], dict(os.environ))
    assert len(set(taken)) == 4


def _together(shells: int, arguments: list[str], environ: dict[str, str]) -> list[str]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "ipcraft", *arguments], env=environ, stdout=subprocess.PIPE
        )
        for _ in range(shells)
    ]
    outputs = [process.communicate(timeout=120)[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * shells
    return [output.strip() for output in outputs]
