"""`ipcraft verify` recounts what is counted."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import update

from ipcraft.app import Application
from ipcraft.plugin import Statement, own
from ipcraft.testing import Command
from ipcraft.testing.organizations import Organization
from ipcraft_ipam.tables import subnet_usage, subnets

Make = Callable[..., None]

_MISCOUNT = Statement(
    update(subnet_usage).where(subnet_usage.c.organization_id == own()).values(used=7)
)
_ORPHAN = Statement(
    update(subnets).where(subnets.c.organization_id == own()).values(parent_id="sub_nowhere")
)


def test_a_sound_inventory_has_no_drift(command: Command, make: Make) -> None:
    """Whatever was done by commands, the counters are right."""
    make("10.0.0.0/8", "10.0.0.0/24")
    command("next", "--count", "5", "10.0.0.0/24")
    result = command("verify")
    assert (result.exit_code, result.output) == (0, "verified 1 organization, no drift\n")


def test_each_drift_is_printed(
    command: Command, make: Make, application: Application, organization: Organization
) -> None:
    """Status 1, and a line that names organization and subnet."""
    make("10.0.0.0/24")
    command("next", "10.0.0.0/24")
    application.storage.transact(organization.id, lambda tx: tx.write(_MISCOUNT))
    result = command("verify")
    assert result.exit_code == 1
    drift, summary = result.stdout.splitlines()
    assert drift.endswith(": subnet 10.0.0.0/24 counts 7 addresses, and has 1")
    assert drift.startswith("Test ")
    assert summary == "verified 1 organization, 1 drift"


def test_every_organization_is_verified_unless_one_is_named(
    command: Command, make: Make, application: Application, organization: Organization
) -> None:
    """`--org` leaves the others out."""
    make("10.0.0.0/24", "10.0.1.0/24")
    application.storage.transact(organization.id, lambda tx: tx.write(_ORPHAN))
    command("org", "create", "Other", "--owner", "other@example.com")
    everybody = command("verify")
    assert everybody.exit_code == 1
    assert everybody.stdout.endswith("verified 2 organizations, 2 drifts\n")
    other = command("verify", "--org", "Other")
    assert (other.exit_code, other.stdout) == (0, "verified 1 organization, no drift\n")
