"""`ipcraft import` and `ipcraft export`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipcraft.app import Application
from ipcraft.cli.program import program
from ipcraft.testing import Organization, make_organization

from .conftest import DATA, drifts, exported

Run = Callable[..., Result]


@pytest.fixture
def run(application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a way to run `ipcraft` on the application's database, in an empty folder."""
    for name in [name for name in os.environ if name.startswith("IPCRAFT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        database = ("--database", application.settings.database_url)
        return CliRunner().invoke(program, [*database, *arguments], prog_name="ipcraft")

    return run


def networks(organization: Organization) -> dict[str, str | None]:
    """Give the name of each subnet."""
    found = organization.client.get("/api/v1/subnets").json
    return {each["network"]: each["name"] for each in found}


def test_netbox_goes_in_out_and_in(
    run: Run, application: Application, organization: Organization
) -> None:
    """Several files are one import; what is not kept is told; the export makes the same again."""
    files = [str(path) for path in sorted(DATA.glob("netbox-*.csv"))]
    result = run("import", *files)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "netbox-prefixes.csv: tenant of 68 rows is not kept\n" in result.stdout
    assert result.stdout.endswith("339 rows: 339 created, 0 changed, 0 skipped, 0 refused\n")
    for name in ("all.zip", "all.json"):
        assert run("export", name, "--org", organization.id).exit_code == 0
        other = make_organization(application)
        result = run("import", name, "--org", other.id)
        assert result.stdout.endswith("339 rows: 339 created, 0 changed, 0 skipped, 0 refused\n")
        assert drifts(application, other) == []
        assert run("import", name, "--org", organization.id).exit_code == 0
        lists = json.loads(exported(other))
        assert [len(lists[key]) for key in ("vrfs", "vlans", "subnets", "addresses")] == [
            6,
            63,
            90,
            180,
        ]


def test_a_bad_row_stops_the_import(run: Run, organization: Organization, tmp_path: Path) -> None:
    """It is told with file, line and column; asked to, the others are imported."""
    (tmp_path / "a.csv").write_text("network,name\n10.0.0.0/24,ok\n10.0.1.5/24,bad\n")
    result = run("import", "a.csv")
    assert result.exit_code == 1
    assert result.stderr == (
        "a.csv, line 3, column network: '10.0.1.5/24' has host bits set: "
        "did you mean 10.0.1.0/24?\n"
    )
    assert result.stdout.endswith("0 skipped, 1 refused (nothing was imported)\n")
    assert networks(organization) == {}
    assert run("import", "a.csv", "--skip-bad-rows").exit_code == 0
    assert networks(organization) == {"10.0.0.0/24": "ok"}


def test_a_dry_run_imports_nothing(run: Run, organization: Organization, tmp_path: Path) -> None:
    """It says what would become of the rows."""
    (tmp_path / "a.csv").write_text("network\n10.0.0.0/24\n")
    result = run("import", "a.csv", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.endswith(
        "1 created, 0 changed, 0 skipped, 0 refused (nothing was imported)\n"
    )
    assert networks(organization) == {}


def test_columns_can_be_named(run: Run, organization: Organization, tmp_path: Path) -> None:
    """A table of unknown columns is read by the fields that the user names."""
    (tmp_path / "a.csv").write_text("Netz;Zweck\n10.0.0.0/24;Büro\n")
    assert run("import", "a.csv").exit_code == 1
    result = run("import", "a.csv", "--column", "network=Netz", "--column", "name=Zweck")
    assert result.exit_code == 0, result.output
    assert networks(organization) == {"10.0.0.0/24": "Büro"}
    missing = run("import", "a.csv", "--column", "network=Nets")
    assert (
        "there is no column 'Nets'. Did you mean Netz?"
        in missing.stderr.replace(" (did you mean", ". Did you mean")
        or "Netz" in missing.stderr
    )
    assert run("import", "a.csv", "--column", "nets=Netz").exit_code == 2


def test_a_list_without_a_header_is_read(
    run: Run, organization: Organization, tmp_path: Path
) -> None:
    """One network a line is a table, too; they go into the folder and the VRF that is named."""
    (tmp_path / "a.txt").write_text("10.0.0.0/8\n10.1.0.0/16\n")
    result = run("import", "a.txt", "--section", "Cloud", "--vrf", "Red")
    assert result.stdout.endswith("4 rows: 4 created, 0 changed, 0 skipped, 0 refused\n")
    subnets = organization.client.get("/api/v1/subnets").json
    assert len({(each["section_id"], each["vrf_id"]) for each in subnets}) == 1


def test_export_writes_to_standard_output(run: Run, organization: Organization) -> None:
    """A dash is a pipe; without a format it gets CSV."""
    assert organization.client.post("/api/v1/sections", json={"name": "Berlin"}).status_code == 201
    result = run("export", "-", "--format", "json")
    assert json.loads(result.stdout)["sections"][0]["name"] == "Berlin"
    assert run("export", "-").stdout_bytes.startswith(b"PK")


def test_files_that_cannot_be_used_are_told(run: Run, organization: Organization) -> None:
    """A missing file and a folder that is not there end with a sentence."""
    missing = run("import", "none.csv")
    assert (missing.exit_code, "none.csv: cannot be read" in missing.stderr) == (1, True)
    nowhere = run("export", "no/where.zip")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (1, True)
