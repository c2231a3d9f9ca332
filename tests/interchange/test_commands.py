"""`ipcraft import` and `ipcraft export`."""

from __future__ import annotations

import csv
import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from ipcraft.app import Application
from ipcraft.testing import Command, Organization, make_organization

from .conftest import DATA, drifts, exported

if TYPE_CHECKING:
    from ipcraft.testing.fixtures import Org, Served


def networks(organization: Organization) -> dict[str, str | None]:
    """Give the name of each subnet."""
    found = organization.client.get("/api/v1/subnets").json
    return {each["network"]: each["name"] for each in found}


def test_netbox_goes_in_out_and_in(
    command: Command, application: Application, organization: Organization
) -> None:
    """Several files are one import; what is not kept is told; the export makes the same again."""
    files = [str(path) for path in sorted(DATA.glob("netbox-*.csv"))]
    result = command("import", *files)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "netbox-prefixes.csv: tenant of 68 rows is not kept\n" in result.stdout
    assert result.stdout.endswith("339 rows: 339 created, 0 changed, 0 skipped, 0 refused\n")
    for name in ("all.zip", "all.json"):
        assert command("export", name, "--org", organization.id).exit_code == 0
        other = make_organization(application)
        result = command("import", name, "--org", other.id)
        assert result.stdout.endswith("339 rows: 339 created, 0 changed, 0 skipped, 0 refused\n")
        assert drifts(application, other) == []
        assert command("import", name, "--org", organization.id).exit_code == 0
        lists = json.loads(exported(other))
        assert [len(lists[key]) for key in ("vrfs", "vlans", "subnets", "addresses")] == [
            6,
            63,
            90,
            180,
        ]


def test_a_bad_row_stops_the_import(
    command: Command, organization: Organization, tmp_path: Path
) -> None:
    """It is told with file, line and column; asked to, the others are imported."""
    (tmp_path / "a.csv").write_text("network,name\n10.0.0.0/24,ok\n10.0.1.5/24,bad\n")
    result = command("import", "a.csv")
    assert result.exit_code == 1
    assert result.stderr == (
        "a.csv, line 3, column network: '10.0.1.5/24' has host bits set: "
        "did you mean 10.0.1.0/24?\n"
    )
    assert result.stdout.endswith("0 skipped, 1 refused (nothing was imported)\n")
    assert networks(organization) == {}
    assert command("import", "a.csv", "--skip-bad-rows").exit_code == 0
    assert networks(organization) == {"10.0.0.0/24": "ok"}


def test_a_dry_run_imports_nothing(
    command: Command, organization: Organization, tmp_path: Path
) -> None:
    """It says what would become of the rows."""
    (tmp_path / "a.csv").write_text("network\n10.0.0.0/24\n")
    result = command("import", "a.csv", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.endswith(
        "1 created, 0 changed, 0 skipped, 0 refused (nothing was imported)\n"
    )
    assert networks(organization) == {}


def test_columns_can_be_named(command: Command, organization: Organization, tmp_path: Path) -> None:
    """A table of unknown columns is read by the fields that the user names."""
    (tmp_path / "a.csv").write_text("Netz;Zweck\n10.0.0.0/24;Büro\n")
    assert command("import", "a.csv").exit_code == 1
    result = command("import", "a.csv", "--column", "network=Netz", "--column", "name=Zweck")
    assert result.exit_code == 0, result.output
    assert networks(organization) == {"10.0.0.0/24": "Büro"}
    missing = command("import", "a.csv", "--column", "network=Nets")
    assert missing.stderr == (
        "a.csv, line 1: there is no column 'Nets' for network; did you mean \"Netz\"?\n"
    )
    assert command("import", "a.csv", "--column", "nets=Netz").exit_code == 2
    assert command("import", "a.csv", "--column", "Zweck").exit_code == 1
    assert command("import", "a.csv", "--column", "Netz").exit_code == 0


def test_a_list_without_a_header_is_read(
    command: Command, organization: Organization, tmp_path: Path
) -> None:
    """One network a line is a table, too; they go into the folder and the VRF that is named."""
    (tmp_path / "a.txt").write_text("10.0.0.0/8\n10.1.0.0/16\n")
    result = command("import", "a.txt", "--section", "Cloud", "--vrf", "Red")
    assert result.stdout.endswith("4 rows: 4 created, 0 changed, 0 skipped, 0 refused\n")
    subnets = organization.client.get("/api/v1/subnets").json
    assert len({(each["section_id"], each["vrf_id"]) for each in subnets}) == 1


def test_export_writes_to_standard_output(command: Command, organization: Organization) -> None:
    """A dash is a pipe; without a format it gets CSV."""
    assert organization.client.post("/api/v1/sections", json={"name": "Berlin"}).status_code == 201
    result = command("export", "-", "--format", "json")
    assert json.loads(result.stdout)["sections"][0]["name"] == "Berlin"
    assert command("export", "-").stdout_bytes.startswith(b"PK")


def test_files_that_cannot_be_used_are_told(command: Command, organization: Organization) -> None:
    """A missing file and a folder that is not there end with a sentence."""
    missing = command("import", "none.csv")
    assert (missing.exit_code, "none.csv: cannot be read" in missing.stderr) == (1, True)
    nowhere = command("export", "no/where.zip")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (1, True)


def test_the_report_has_every_row(
    command: Command, organization: Organization, tmp_path: Path
) -> None:
    """`--report` writes what would become of each row into a file that is safe to open."""
    (tmp_path / "a.csv").write_text("network,name\n10.0.0.0/24,ok\n=1+1,bad\n")
    result = command(
        "import", "a.csv", "--section", "=Berlin", "--dry-run", "--report", "report.csv"
    )
    assert result.exit_code == 1
    with (tmp_path / "report.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    assert [(row["line"], row["kind"], row["label"], row["outcome"]) for row in told] == [
        ("2", "subnet", "10.0.0.0/24", "created"),
        ("3", "", "", "refused"),
        ("2", "folder", "'=Berlin", "created"),
    ]
    assert (told[1]["file"], told[1]["column"]) == ("a.csv", "network")
    assert "=1+1" in told[1]["reason"]
    nowhere = command("import", "a.csv", "--report", "no/where.csv")
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (1, True)


def test_the_process_is_left_as_it_was(command: Command, organization: Organization) -> None:
    """Who imports in a process of their own finds its garbage collected as often as before."""
    before = gc.get_threshold()
    assert command("import", "none.csv").exit_code == 1
    Path("a.csv").write_text("network\n10.0.0.0/24\n")
    assert command("import", "a.csv").exit_code == 0
    assert gc.get_threshold() == before


def test_load_is_a_name_of_import(
    command: Command, organization: Organization, tmp_path: Path
) -> None:
    """Who has `ipcraft load` in a script need not change it; its column was that of networks."""
    (tmp_path / "a.csv").write_text("Netz,name\n10.0.0.0/24,Web\n")
    result = command("load", "a.csv", "--section", "Berlin", "--column", "Netz")
    assert (result.exit_code, result.stderr) == (0, "")
    assert networks(organization) == {"10.0.0.0/24": "Web"}
    again = command("load", "a.csv", "--section", "Berlin", "--column", "Netz")
    assert again.stdout.endswith("1 rows: 0 created, 0 changed, 1 skipped, 0 refused\n")


def test_folder_and_vrf_may_be_ids(
    command: Command, organization: Organization, tmp_path: Path
) -> None:
    """What exists is named by its id, too, and nothing is made for an id that nothing has."""
    made = {
        path: organization.client.post(f"/api/v1/{path}", json={"name": "Red"}).json["id"]
        for path in ("sections", "vrfs")
    }
    (tmp_path / "a.csv").write_text("network\n10.0.0.0/24\n")
    result = command("import", "a.csv", "--section", made["sections"], "--vrf", made["vrfs"])
    assert result.exit_code == 0, result.output
    [subnet] = organization.client.get("/api/v1/subnets").json
    assert (subnet["section_id"], subnet["vrf_id"]) == (made["sections"], made["vrfs"])
    nobodys = made["vrfs"][:-1] + ("0" if made["vrfs"][-1] != "0" else "1")
    wrong = command("import", "a.csv", "--vrf", nobodys)
    assert (wrong.exit_code, "none of yours" in wrong.stderr) == (1, True)


def test_an_export_replaces_a_file_when_it_is_whole(
    command: Command, organization: Organization, tmp_path: Path
) -> None:
    """The export of yesterday stays until that of today is there; nothing else stays."""
    target = tmp_path / "all.json"
    target.write_text("yesterday")
    assert command("export", "all.json", "--org", "nobody").exit_code == 1
    assert target.read_text() == "yesterday"
    assert command("export", "all.json").exit_code == 0
    assert json.loads(target.read_text())["subnets"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["all.json"]


@pytest.fixture
def ask(command: Command, served: Served) -> Callable[..., Result]:
    """Give a way to run `ipcraft` for an organization of a served process."""

    def ask(org: Org, *arguments: str) -> Result:
        return command(*arguments, "--url", served.url, "--key", org.key)

    return ask


def test_a_server_imports_and_exports(
    ask: Callable[..., Result], served: Served, tmp_path: Path
) -> None:
    """With `--url` a served process does the same, and says the same."""
    first, second = served.organization(), served.organization()
    files = [str(path) for path in sorted(DATA.glob("netbox-*.csv"))]
    result = ask(first, "import", *files, "--report", "report.csv")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert "netbox-prefixes.csv: tenant of 68 rows is not kept\n" in result.stdout
    assert result.stdout.endswith("339 rows: 339 created, 0 changed, 0 skipped, 0 refused\n")
    with (tmp_path / "report.csv").open(newline="") as file:
        assert sum(row["outcome"] == "created" for row in csv.DictReader(file)) == 339
    for name in ("all.zip", "all.json"):
        assert ask(first, "export", name).exit_code == 0
    assert ask(second, "import", "all.zip").exit_code == 0
    result = ask(second, "import", "all.json")
    assert result.stdout.endswith("339 rows: 0 created, 0 changed, 339 skipped, 0 refused\n")


def test_a_server_forgets_what_is_not_imported(
    ask: Callable[..., Result], served: Served, tmp_path: Path
) -> None:
    """A dry run and a refusal leave nothing behind, as they do without a server."""
    org = served.organization()
    (tmp_path / "a.csv").write_text("Netz,name\n10.0.0.0/24,ok\n10.0.1.5/24,bad\n")
    bad = ask(org, "import", "a.csv", "--column", "network=Netz")
    assert bad.exit_code == 1
    assert bad.stderr == (
        "a.csv, line 3, column Netz: '10.0.1.5/24' has host bits set: did you mean 10.0.1.0/24?\n"
    )
    assert bad.stdout.endswith("1 refused (nothing was imported)\n")
    dry = ask(org, "import", "a.csv", "--column", "Netz", "--skip-bad-rows", "--dry-run")
    assert (dry.exit_code, dry.stdout.endswith("(nothing was imported)\n")) == (0, True)
    assert org.get("/api/v1/imports").json() == []
    taken = ask(org, "import", "a.csv", "--column", "Netz", "--skip-bad-rows")
    assert taken.exit_code == 0
    assert [each["network"] for each in org.get("/api/v1/subnets").json()] == ["10.0.0.0/24"]
    [kept] = org.get("/api/v1/imports").json()
    assert (kept["files"], kept["state"]) == (["a.csv"], "done")


def test_a_server_says_why_not(ask: Callable[..., Result], served: Served, tmp_path: Path) -> None:
    """What a server refuses at once is an error of the command."""
    (tmp_path / "a.csv").write_text("network\n10.0.0.0/24\n")
    result = ask(served.organization(), "import", "a.csv", "--format", "netbx-csv")
    assert result.exit_code == 1
    assert "there is no format 'netbx-csv'" in result.stderr
