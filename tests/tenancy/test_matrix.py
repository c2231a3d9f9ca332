"""No organization reaches another's resources, by whatever id, verb or route."""

from __future__ import annotations

import falcon
import pytest
from sqlalchemy import select

from ipcraft.app import Application
from ipcraft.contributions import Route
from ipcraft.plugin import Statement
from ipcraft.testing import make_organization
from ipcraft_ipam.tables import subnets

from .matrix import crossings, everything, names_of_ids, tenant, unfed, useless
from .unfiltered import compile_unfiltered


def test_the_matrix_knows_every_route(application: Application) -> None:
    """For each variable of a path there is a resource, for each write a body."""
    assert list(unfed(application.routes)) == []


def test_what_the_matrix_sends_is_right_for_own_resources(application: Application) -> None:
    """A refusal in the matrix is for the foreign id, not for a request that never succeeds."""
    assert list(useless(application.routes, lambda: make_organization(application))) == []


def test_no_route_opens_another_organization(application: Application) -> None:
    """Each id of another organization is answered as one of nobody's, and nothing changes."""
    tenants = [tenant(make_organization(application)) for _ in range(3)]
    application.job_queue.close()  # what was asked for is done, and nothing more is
    before = everything(application)
    assert list(crossings(application.routes, tenants, names_of_ids(application))) == []
    assert everything(application) == before


class Leak:
    """Answer with any organization's subnet; take a body that names one."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def on_get(self, req: falcon.Request, resp: falcon.Response, subnet_id: str) -> None:
        """Show what everybody has."""
        with self._app.storage.read_system() as tx:
            found = tx.all(Statement(select(subnets.c.id)))
        resp.media = {"found": (subnet_id,) in found}


def test_the_matrix_finds_a_leak(application: Application) -> None:
    """A route that looks across organizations is told, with the request that opens it."""
    leak = Route("/api/v1/subnets/{subnet_id}/leak", Leak(application))
    application.routes = (*application.routes, leak)
    tenants = [tenant(make_organization(application)) for _ in range(2)]
    found = list(crossings([leak], tenants, ["subnet_id"]))
    path = "/api/v1/subnets/{subnet_id}/leak"
    assert {problem.partition(path)[0] for problem in found} == {"GET ", "HEAD "}


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_the_matrix_finds_statements_without_a_filter(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database has no wall of its own, each statement's filter is one, and is missed."""
    tenants = [tenant(make_organization(application)) for _ in range(2)]
    monkeypatch.setattr(Statement, "compile", compile_unfiltered)
    found = list(crossings(application.routes, tenants, ["section_id"]))
    opened = {problem.partition(" with ")[0] for problem in found}
    assert opened >= {
        "GET /api/v1/sections/{section_id}",
        "GET /api/v1/subnets/{subnet_id}/usage",
        "DELETE /api/v1/subnets/{subnet_id}",
    }, opened


def test_the_matrix_asks_for_what_it_does_not_know(application: Application) -> None:
    """A new route without its lines in the feed fails with the name of the file to add them to."""

    class Things:
        def on_post(self, req: falcon.Request, resp: falcon.Response, thing_id: str) -> None:
            """Do nothing."""

    missing = "\n".join(unfed([Route("/api/v1/things/{thing_id}", Things())]))
    assert "get a thing_id? Add it to MAKERS in tests/tenancy/feed.py" in missing
    assert "what is a valid body? Add it to BODIES in tests/tenancy/feed.py" in missing
