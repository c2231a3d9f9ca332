"""The catalogue: what is shipped, and what an operator makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipcraft.app import create_application
from ipcraft.config import load_settings
from ipcraft.plugin import Application, StartError
from ipcraft.testing import make_application
from ipcraft_plans import catalogue

URL = "sqlite:///{}"


def test_the_shipped_plans_are_the_references(tmp_path: Path) -> None:
    """The table of the API reference, row by row."""
    plans = catalogue(make_application(URL.format(tmp_path / "db")))
    assert list(plans) == ["free", "pro", "teams", "enterprise"]
    free, teams = plans["free"], plans["teams"]
    assert free.limits == {"users": 1, "sections": 5, "subnets": 100, "addresses": 1500}
    assert (free.api_access, free.activity_days) == ("read-only", 7)
    assert free.rate_limit
    assert (free.rate_limit.requests, free.rate_limit.seconds) == (10, 1)
    assert teams.limits == {"users": 5, "sections": 50, "subnets": 500, "addresses": 7000}
    assert (plans["enterprise"].limits, plans["enterprise"].rate_limit) == ({}, None)


def test_a_shipped_plan_is_changed_row_by_row(tmp_path: Path) -> None:
    """Rows that are not named stay."""
    sections = {"plans": {"catalogue": {"pro": {"users": 3, "subnets": "unlimited"}}}}
    pro = catalogue(make_application(URL.format(tmp_path / "db"), sections=sections))["pro"]
    assert pro.limits == {"users": 3, "sections": 25, "addresses": 7000}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gold": {"users": 3}}, "names every row: sections, subnets"),
        ({"pro": {"users": -1}}, 'an integer from 0 on, or "unlimited"'),
        ({"pro": {"users": "many"}}, 'an integer from 0 on, or "unlimited"'),
        ({"pro": {"user": 1}}, "user"),
        ({"pro": {"api_access": "none"}}, "read-only"),
    ],
)
def test_a_wrong_catalogue_stops_the_start(
    tmp_path: Path, given: dict[str, dict[str, object]], message: str
) -> None:
    """The message names what is wrong."""
    with pytest.raises(StartError, match=message):
        make_application(URL.format(tmp_path / "db"), sections={"plans": {"catalogue": given}})


def test_the_variable_holds_json(tmp_path: Path) -> None:
    """A whole table fits into a variable."""
    environ = {"IPCRAFT_PLANS_CATALOGUE": '{"free": {"users": 9}}'}
    assert catalogue(opened(tmp_path, environ))["free"].limits["users"] == 9
    with pytest.raises(StartError, match="IPCRAFT_PLANS_CATALOGUE"):
        opened(tmp_path, {"IPCRAFT_PLANS_CATALOGUE": "free"})


def opened(folder: Path, environ: dict[str, str]) -> Application:
    """Open an application of these variables."""
    url = URL.format(folder / "db")
    return create_application(load_settings(environ={"IPCRAFT_DATABASE_URL": url, **environ}))


def test_the_default_plan_must_exist(tmp_path: Path) -> None:
    """A new organization would have a plan nobody knows."""
    with pytest.raises(StartError, match="there is no plan gold"):
        make_application(URL.format(tmp_path / "db"), settings={"default_plan": "gold"})
