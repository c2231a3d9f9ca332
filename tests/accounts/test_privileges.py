"""What each role may do: every role, every method of every route of every plugin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipcraft.plugin import Application
from ipcraft.testing import Client, Clock
from ipcraft_accounts import ROLES, Member
from ipcraft_accounts.roles import may
from ipcraft_apikeys import create_key

from .routes import Request, requests_to

Sign = Callable[[str], Client]
Add = Callable[..., Member]

FORBIDDEN = {
    "viewer": {"write", "manage", "own"},
    "editor": {"manage", "own"},
    "admin": {"own"},
    "owner": set[str](),
}


@pytest.fixture(params=["key", "session"])
def client_of(
    request: pytest.FixtureRequest,
    application: Application,
    ada: Member,
    add: Add,
    sign_in: Sign,
) -> Callable[[str], Client]:
    """Give a way to clients of each role, with a key or as a browser."""

    def with_key(role: str) -> Client:
        made = application.storage.transact(
            ada.organization.id,
            lambda tx: create_key(
                tx, name=role, role=role, user_id=ada.user.id, maker_role="owner"
            ),
        )
        return Client(application, made.secret)

    def with_session(role: str) -> Client:
        return sign_in(add(role).user.email)

    return with_key if request.param == "key" else with_session


def allowed(client: Client, request: Request) -> bool:
    """Send an empty request; tell whether the role was enough."""
    answer = client.request(request.method, request.path, json={})
    assert answer.status_code not in (401, 429), str(request)
    return answer.status_code != 403


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_its_action_says_on_every_route(
    application: Application, client_of: Callable[[str], Client], clock: Clock, role: str
) -> None:
    """A method of a route is refused exactly to the roles below the action it needs."""
    client = client_of(role)
    requests = requests_to(application)
    # What ends the client's own session comes last.
    requests.sort(key=lambda request: request.path.startswith("/api/v1/auth/"))
    wrong = []
    for request in requests:
        clock.advance(seconds=1)  # there are more routes than the plan allows requests in a second
        ends_the_session = request.path == "/api/v1/auth/logout"
        refused = request.action in FORBIDDEN[role]
        if not ends_the_session and allowed(client, request) is refused:
            wrong.append(str(request))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_every_role_signs_out(sign_in: Sign, add: Add, role: str) -> None:
    """What concerns only oneself needs no more than to look."""
    client = sign_in(add(role, email="me@example.com").user.email)
    assert client.get("/api/v1/auth/sessions").status_code == 200
    assert client.post("/api/v1/auth/logout").status_code == 204


def test_every_route_that_is_not_public_needs_credentials(application: Application) -> None:
    """A stranger gets 401 on every method, before anything else is looked at."""
    stranger = Client(application)
    for request in requests_to(application):
        answer = stranger.request(request.method, request.path, json={})
        assert answer.status_code == 401, str(request)


def test_what_is_public_is_known(application: Application) -> None:
    """A route without credentials is a decision: it stands here, or under a path that says so."""
    public = {route.path for route in application.routes if route.public}
    assert public <= {
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/docs/{name}",
        "/api/v1/openapi.json",
        "/api/v1/auth/send-link",
        "/api/v1/auth/verify",
        "/api/v1/billing/webhook",
        *(path for path in public if path.startswith("/api/v1/tools/")),
    }


def test_changing_people_keys_and_the_organization_is_no_editors_work(
    application: Application,
) -> None:
    """The actions of these routes are pinned: a change of the table above would not show them."""
    actions = {str(request): request.action for request in requests_to(application)}
    nobody = "usr_01jx0000000000000000000000"
    for request in (
        f"PATCH /api/v1/users/{nobody}",
        f"DELETE /api/v1/users/{nobody}",
        "POST /api/v1/invitations",
        f"DELETE /api/v1/invitations/{nobody}",
        "POST /api/v1/api-keys",
        f"DELETE /api/v1/api-keys/{nobody}",
    ):
        assert actions[request] == "manage", request
    for request in ("PATCH /api/v1/organization", "DELETE /api/v1/organization"):
        assert actions[request] == "own", request


def test_the_actions_are_the_roles(application: Application) -> None:
    """No route needs an action that no role has."""
    for request in requests_to(application):
        assert may("owner", request.action), str(request)
