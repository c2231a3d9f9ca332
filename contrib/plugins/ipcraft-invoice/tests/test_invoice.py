"""Plans on invoice: who asks is sent to the operator, and who had a plan finds it in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result
from ipcraft_invoice.lines import HEAD, Month

from ipcraft.config import ConfigError
from ipcraft.plugin import Application
from ipcraft.testing import Clock, Command, Organization, make_application, make_organization
from ipcraft_accounts import change_plan

from .conftest import SECTION

Run = Callable[..., Result]

CHECKOUT = "/api/v1/billing/checkout"
PORTAL = "/api/v1/billing/portal"
DAY = 24
TOML = """
[plugins]
enable = ["invoice"]
[plugins.invoice]
contact_url = "https://example.com/plans"
[plugins.invoice.prices]
pro = "29.00"
teams = "199.00"
"""


@pytest.fixture
def invoice(command: Command, tmp_path: Path) -> Run:
    """Give a way to run `ipcraft invoice` as the operator does. It is long after 2024."""
    (tmp_path / "ipcraft.toml").write_text(TOML)
    return partial(command, "invoice")


def lines(invoice: Run, month: str = "2024-03") -> list[Mapping[str, str]]:
    """Give the lines of a month."""
    result = invoice("lines", month)
    assert result.exit_code == 0, result.output
    reader = csv.DictReader(io.StringIO(result.output))
    rows = list(reader)
    assert tuple(reader.fieldnames or ()) == HEAD
    return rows


def give(app: Application, organization: Organization, plan: str) -> None:
    """Give an organization a plan."""
    app.storage.transact(organization.id, lambda tx: change_plan(tx, plan))


def test_who_wants_a_plan_is_sent_to_the_operator(organization: Organization) -> None:
    """The page is told who wants what; the plan does not change by that."""
    answer = organization.client.post(CHECKOUT, json={"plan": "teams"})
    expected = f"https://example.com/plans?plan=teams&organization={organization.id}"
    assert (answer.status_code, answer.json) == (200, {"url": expected})
    answer = organization.client.post(PORTAL)
    assert answer.json == {"url": f"https://example.com/plans?organization={organization.id}"}
    assert organization.client.get("/api/v1/billing/plan").json["plan"] == "free"
    assert organization.client.post(CHECKOUT, json={"plan": "gold"}).status_code == 400


def test_only_owners_are(application: Application, organization: Organization) -> None:
    """As with any provider."""
    assert organization.client_as(application, "admin").post(CHECKOUT).status_code == 403


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/?from=ipam", "https://example.com/?from=ipam&plan=pro&organization="),
        (
            "mailto:sales@example.com",
            "mailto:sales@example.com?subject=plan%3Dpro%20organization%3D",
        ),
    ],
)
def test_the_operators_page_may_be_many_things(database_url: str, url: str, expected: str) -> None:
    """Its own query stays; a mail has a subject."""
    section = SECTION | {"contact_url": url}
    app = make_application(database_url, enable=["invoice"], sections={"invoice": section})
    organization = make_organization(app)
    assert organization.client.post(CHECKOUT).json == {"url": expected + organization.id}
    app.close()


@pytest.mark.parametrize(
    "section",
    [
        {"contact_url": "example.com"},
        {"prices": {}},
        {"prices": {"pro": "29,00"}},
        {"prices": {"pro": "-1.00"}},
        {"currency": "euro"},
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    database_url: str, section: dict[str, object]
) -> None:
    """An amount is an amount, a currency a currency."""
    with pytest.raises(ConfigError, match=r"plugins\.invoice"):
        make_application(database_url, enable=["invoice"], sections={"invoice": SECTION | section})


def test_each_part_of_a_month_costs_its_share(
    application: Application, organization: Organization, clock: Clock, invoice: Run
) -> None:
    """Ten days of one plan, twenty-one of another; what is free has no line."""
    give(application, organization, "pro")
    clock.advance(hours=10 * DAY)
    give(application, organization, "teams")
    clock.advance(hours=40 * DAY)
    first, second = lines(invoice)
    assert first["organization_id"] == second["organization_id"] == organization.id
    assert [each["plan"] for each in (first, second)] == ["pro", "teams"]
    assert (first["from"], first["until"]) == ("2024-03-01T00:00:00Z", "2024-03-11T00:00:00Z")
    assert (second["from"], second["until"]) == ("2024-03-11T00:00:00Z", "2024-04-01T00:00:00Z")
    assert [each["share"] for each in (first, second)] == ["0.322581", "0.677419"]
    assert [each["amount"] for each in (first, second)] == ["9.35", "134.81"]
    assert {each["currency"] for each in (first, second)} == {"EUR"}
    (april,) = lines(invoice, "2024-04")
    assert (april["plan"], april["amount"]) == ("teams", "199.00")


def test_a_whole_month_costs_the_price(
    application: Application, organization: Organization, clock: Clock, invoice: Run
) -> None:
    """Exactly, whatever the length of the month."""
    give(application, organization, "pro")
    clock.advance(hours=365 * DAY)
    for month in ("2024-03", "2024-04", "2024-12", "2025-02"):
        (line,) = lines(invoice, month)
        assert (line["price"], line["amount"]) == ("29.00", "29.00")


def test_a_deleted_organization_has_its_lines(
    application: Application, organization: Organization, clock: Clock, invoice: Run
) -> None:
    """An invoice has still to be written for it."""
    give(application, organization, "pro")
    clock.advance(hours=15 * DAY + 12)
    name = organization.client.get("/api/v1/organization").json["name"]
    gone = organization.client.delete("/api/v1/organization", json={"name": name})
    assert gone.status_code == 204
    clock.advance(hours=60 * DAY)
    (line,) = lines(invoice)
    assert (line["organization"], line["amount"]) == (name, "14.50")
    assert lines(invoice, "2024-04") == []


def test_plans_from_before_count_from_now_on(database_url: str, clock: Clock, invoice: Run) -> None:
    """What was before the plugin was enabled has no line, and counts once however often it runs."""
    before = make_application(database_url, clock=clock)
    organization = make_organization(before, plan="pro")
    before.close()
    app = make_application(
        database_url, enable=["invoice"], sections={"invoice": SECTION}, clock=clock
    )
    clock.advance(hours=10 * DAY)
    for _ in range(2):
        app.jobs["invoice.begin"].run({})
    clock.advance(hours=40 * DAY)
    (line,) = lines(invoice)
    assert (line["organization_id"], line["from"]) == (organization.id, "2024-03-11T00:00:00Z")
    app.close()


def test_a_name_is_no_formula(
    application: Application, organization: Organization, clock: Clock, invoice: Run
) -> None:
    """A spreadsheet that opens the file runs nothing that somebody has called themselves."""
    body = {"name": '=HYPERLINK("https://evil.example")'}
    assert (
        organization.browser(application).patch("/api/v1/organization", json=body).status_code
        == 200
    )
    give(application, organization, "pro")
    clock.advance(hours=DAY)
    (line,) = lines(invoice)
    assert line["organization"] == "'" + body["name"]


def test_the_file_is_written_where_it_is_wanted(
    application: Application, organization: Organization, clock: Clock, invoice: Run
) -> None:
    """The same lines as on standard output."""
    give(application, organization, "pro")
    clock.advance(hours=DAY)
    assert invoice("lines", "2024-03", "--output", "march.csv").exit_code == 0
    assert organization.id in Path("march.csv").read_text()


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize("month", ["2024-13", "March", "2024", "9999-01"])
def test_what_is_no_month_that_has_begun_is_refused(invoice: Run, month: str) -> None:
    """With a sentence, and no file."""
    result = invoice("lines", month)
    assert result.exit_code == 1
    assert month in result.output


def test_a_year_ends_in_december() -> None:
    """The month after it is the next year's first."""
    december = Month.of("2024-12")
    assert december.stop == Month.of("2025-01").start


def test_there_is_no_stripe_in_it() -> None:
    """It is a provider of its own."""
    source = Path(__file__).parent.parent
    files = [each for each in source.rglob("*") if each.suffix in {".py", ".md", ".toml"}]
    mentions = [
        each for each in files if "stripe" in each.read_text().lower() and each != Path(__file__)
    ]
    assert mentions == []
