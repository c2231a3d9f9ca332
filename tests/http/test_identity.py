"""Identity: who is asked, in which order, and what a failure does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import falcon
import pytest
from falcon.testing import TestClient
from sqlalchemy import literal, select

from ipcraft.contributions import Identity, Route
from ipcraft.data.claims import Claim
from ipcraft.data.statements import Statement
from ipcraft.errors import Forbidden, Invalid, LimitReached, Unauthenticated, Unavailable

Serve = Callable[..., TestClient]

ALICE = Identity(
    organization_id="org_1", user_id="usr_1", role="viewer", scheme="test", ambient=False
)


@dataclass
class Backend:
    """Answer as it was told to, and count."""

    name: str
    answer: Identity | Exception | None
    asked: int = field(default=0)

    def authenticate(self, request: falcon.Request) -> Identity | None:
        """Give the answer."""
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Whoami:
    """Tell the identity."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the user."""
        identity: Identity | None = req.context.identity
        resp.media = {"user": identity.user_id if identity else None}

    on_post = on_get


def test_no_credentials_are_401(serve: Serve) -> None:
    """A request no backend recognizes is told which credentials to send."""
    answer = serve(Route("/", Whoami()), backends=[Backend("a", None)]).simulate_get("/")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_first_identity_counts(serve: Serve) -> None:
    """Backends are asked in order until one knows the sender."""
    backends = [Backend("a", None), Backend("b", ALICE), Backend("c", ALICE)]
    answer = serve(Route("/", Whoami()), backends=backends).simulate_get("/")
    assert answer.json == {"user": "usr_1"}
    assert [backend.asked for backend in backends] == [1, 1, 0]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unauthenticated("Expired"), 401),
        (Unavailable("Database is away"), 503),
        (RuntimeError("secret inside"), 503),
        (Forbidden("Not here"), 403),
        (LimitReached("Full"), 402),
        (Invalid("Not like this"), 503),
        (KeyError("x"), 503),
    ],
)
def test_a_backend_that_raises_stops_the_request(
    serve: Serve, error: Exception, status: int
) -> None:
    """A refusal has its status, a failure is 503; the next backend is not asked."""
    after = Backend("b", ALICE)
    client = serve(Route("/", Whoami()), backends=[Backend("a", error), after])
    answer = client.simulate_get("/")
    assert answer.status_code == status
    assert after.asked == 0
    assert "secret inside" not in answer.text


def test_a_public_route_asks_nobody(serve: Serve) -> None:
    """A public route is served to everyone, without an identity."""
    backend = Backend("a", RuntimeError())
    client = serve(Route("/", Whoami(), public=True), backends=[backend])
    assert client.simulate_get("/").json == {"user": None}
    assert backend.asked == 0


def test_a_refused_action_is_403(serve: Serve) -> None:
    """An identity that may not do it is told so; the resource is not reached."""
    client = serve(Route("/", Whoami()), backends=[Backend("a", ALICE)], authorize=lambda *_: False)
    answer = client.simulate_get("/")
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "action"),
    [("GET", "read"), ("HEAD", "read"), ("OPTIONS", "read"), ("POST", "manage"), ("PUT", "write")],
)
def test_the_action_is_the_routes(serve: Serve, method: str, action: str) -> None:
    """Authorization gets identity, action and the route's path template."""
    asked: list[tuple[Identity, str, str]] = []

    def authorize(*arguments: object) -> bool:
        asked.append(arguments)  # type: ignore[arg-type]  # as Identification calls it
        return True

    route = Route("/things/{id}", Things(), actions={"POST": "manage"})
    client = serve(route, backends=[Backend("a", ALICE)], authorize=authorize)
    client.simulate_request(method, "/things/1")
    assert asked == [(ALICE, action, "/things/{id}")]


class Things:
    """Have a variable in the path."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:  # noqa: A002
        """Answer with the id."""
        resp.media = id

    on_post = on_get


def test_an_unknown_path_needs_no_credentials(serve: Serve) -> None:
    """Nothing is behind it, so nobody is asked."""
    backend = Backend("a", None)
    assert serve(Route("/", Whoami()), backends=[backend]).simulate_get("/x").status_code == 404
    assert backend.asked == 0


def claimed(recognize: Callable[[object], Identity], *, role: str = "viewer") -> Identity:
    """Give an identity that has still to be asked for."""
    statement = Statement(select(literal(1)))
    claim = Claim(statement, parameters={}, recognize=recognize)
    return replace(ALICE, role=role, claim=claim)


def gone(found: object) -> Identity:
    """Know nobody any more."""
    raise Unauthenticated("Revoked")


class Reading:
    """Ask for the sender's claim with its query, or fail before there is one."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Settle the claim as a storage does."""
        identity: Identity = req.context.identity
        assert identity.claim
        assert not identity.claim.settled
        identity.claim.settle(None)
        resp.media = {"user": identity.user_id}

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Refuse without a query."""
        raise Invalid("Not like this")


def test_a_route_that_is_not_deferred_gets_a_certain_identity(serve: Serve) -> None:
    """A resource that may do anything runs only for who is recognized by now."""
    now = replace(ALICE, user_id="usr_2")
    client = serve(Route("/", Whoami()), backends=[Backend("a", claimed(lambda _: now))])
    assert client.simulate_get("/").json == {"user": "usr_2"}
    client = serve(Route("/", Whoami()), backends=[Backend("a", claimed(gone))])
    assert client.simulate_get("/").status_code == 401


def test_a_deferred_route_settles_the_claim_with_its_query(serve: Serve) -> None:
    """Whoever is not recognized any more gets 401 from there, and nothing of the answer."""
    route = Route("/", Reading(), deferred=True)
    for recognize, status in ((lambda _: ALICE, 200), (gone, 401)):
        client = serve(route, backends=[Backend("a", claimed(recognize))], settle=never)
        assert client.simulate_get("/").status_code == status


def never(claim: Claim) -> None:
    """Be asked for no claim."""
    raise AssertionError("the claim is settled already")


def test_no_answer_leaves_before_the_claim_is_settled(serve: Serve) -> None:
    """A refusal that needed no query does not go to who is not recognized any more."""
    route = Route("/", Reading(), deferred=True)
    for recognize, status in ((lambda _: ALICE, 400), (gone, 401)):
        client = serve(route, backends=[Backend("a", claimed(recognize))])
        assert client.simulate_post("/").status_code == status


def test_the_role_of_now_decides(serve: Serve) -> None:
    """A role that was lowered since forbids at once, one that was raised allows at once."""

    def allowed(identity: Identity, action: str, path: str) -> bool:
        return identity.role == "owner"

    owner = replace(ALICE, role="owner")
    for deferred in (False, True):
        route = Route("/", Whoami(), deferred=deferred)
        raised = Backend("a", claimed(lambda _: owner))
        lowered = Backend("a", claimed(lambda _: ALICE, role="owner"))
        for backend, status in ((raised, 200), (lowered, 403)):
            client = serve(route, backends=[backend], authorize=allowed)
            assert client.simulate_get("/").status_code == status


def test_who_is_the_same_by_now_is_judged_once(serve: Serve) -> None:
    """What was allowed to the identity that is remembered is so for the same one, confirmed."""
    judged: list[str] = []

    def authorize(identity: Identity, action: str, path: str) -> bool:
        judged.append(identity.role)
        return True

    route = Route("/", Reading(), deferred=True)
    for now, roles in ((ALICE, ["viewer"]), (replace(ALICE, role="editor"), ["viewer", "editor"])):
        judged.clear()
        backend = Backend("a", claimed(partial(_be, now)))
        answer = serve(route, backends=[backend], authorize=authorize).simulate_get("/")
        assert (answer.status_code, judged) == (200, roles)


def _be(identity: Identity, found: object) -> Identity:
    """Be recognized as this one."""
    return identity
