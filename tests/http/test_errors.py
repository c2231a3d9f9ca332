"""Errors: the status and body of everything that can be raised."""

from __future__ import annotations

from collections.abc import Callable

import falcon
import pytest
from falcon.testing import TestClient

from ipcraft import errors
from ipcraft.contributions import Route

Serve = Callable[..., TestClient]


class Raising:
    """Raise what it was made with, having begun an answer."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Begin, then fail."""
        resp.stream = iter([b"begun"])
        resp.content_type = "text/plain"
        raise self.error


class Veto(errors.Forbidden):
    """Stand for an error of a plugin's own."""

    code = "frozen"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.RequestError("Why"), 400, "error"),
        (errors.Invalid("Why"), 400, "invalid"),
        (errors.Invalid("Why", code="subnet_full"), 400, "subnet_full"),
        (errors.Unauthenticated("Why"), 401, "unauthenticated"),
        (errors.LimitReached("Why"), 402, "plan_limit"),
        (errors.Forbidden("Why"), 403, "forbidden"),
        (Veto("Why"), 403, "frozen"),
        (errors.NotFound("Why"), 404, "not_found"),
        (errors.Conflict("Why"), 409, "conflict"),
        (errors.BadGateway("Why"), 502, "bad_gateway"),
        (errors.Unavailable("Why"), 503, "unavailable"),
        (errors.Contention("Why"), 503, "contention"),
        (falcon.HTTPConflict(description="Why"), 409, "conflict"),
        (falcon.HTTPTooManyRequests(description="Why"), 429, "rate_limited"),
        (falcon.HTTPUnprocessableEntity(description="Why"), 422, "unprocessable"),
        (falcon.HTTPError(falcon.HTTP_451, description="Why"), 451, "http_451"),
    ],
)
def test_every_error_has_the_shape(serve: Serve, error: Exception, status: int, code: str) -> None:
    """The class says the status; sentence, code and request id make the body."""
    answer = serve(Route("/", Raising(error), public=True)).simulate_get("/")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "error": "Why",
        "code": code,
        "request_id": answer.headers["x-request-id"],
    }


def test_fields_are_shown(serve: Serve) -> None:
    """A complaint about a field stands under its name."""
    error = errors.Invalid.field("network", "10.0.0.1/24 has host bits set")
    answer = serve(Route("/", Raising(error), public=True)).simulate_get("/")
    assert answer.json["fields"] == {"network": ["10.0.0.1/24 has host bits set"]}


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (errors.Unauthenticated("Why"), "www-authenticate", "Bearer"),
        (errors.Contention("Why"), "retry-after", "1"),
        (errors.Unavailable("Why"), "retry-after", "2"),
        (falcon.HTTPTooManyRequests(retry_after=7), "retry-after", "7"),
    ],
)
def test_headers_say_what_to_do(serve: Serve, error: Exception, header: str, value: str) -> None:
    """An answer that asks for another try or for credentials says so in its header."""
    answer = serve(Route("/", Raising(error), public=True)).simulate_get("/")
    assert answer.headers[header] == value


@pytest.mark.usefixtures("json_logs")
def test_a_defect_is_logged_and_not_shown(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected exception is a 500 without details; the log has the traceback."""
    client = serve(Route("/", Raising(RuntimeError("the inside")), public=True))
    answer = client.simulate_get("/", headers={"X-Request-Id": "trace-1"})
    assert answer.status_code == 500
    assert answer.json["code"] == "internal"
    assert "the inside" not in answer.text
    logged = capsys.readouterr().err.splitlines()[0]
    assert "RuntimeError: the inside" in logged
    assert "trace-1" in logged


def test_an_answer_that_cannot_be_written_is_a_defect(serve: Serve) -> None:
    """A resource that answers with what is no JSON gets a 500 in the shape."""

    class Odd:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            resp.media = {"odd": object()}

    answer = serve(Route("/", Odd(), public=True)).simulate_get("/")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")


class Gettable:
    """Have a GET and a POST."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the method."""
        resp.media = [1, 2, 3]
        resp.set_header("X-Method", req.method)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with nothing."""
        resp.status = falcon.HTTP_204


def test_an_unknown_path_is_404(serve: Serve) -> None:
    """A path that nobody serves answers in the shape."""
    answer = serve().simulate_get("/nothing")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_an_unknown_method_is_405(serve: Serve) -> None:
    """A method that a path has not is refused with those it has."""
    answer = serve(Route("/", Gettable(), public=True)).simulate_delete("/")
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert answer.json["error"] == "DELETE is not allowed here; allowed: GET, HEAD, POST, OPTIONS"


def test_head_is_get_without_a_body(serve: Serve) -> None:
    """HEAD answers wherever GET does, with the length and nothing else."""
    answer = serve(Route("/", Gettable(), public=True)).simulate_head("/")
    assert (answer.status_code, answer.text) == (200, "")
    assert (answer.headers["content-length"], answer.headers["x-method"]) == ("7", "HEAD")


def test_a_nul_in_the_path_is_404(serve: Serve) -> None:
    """An id with a NUL in it names nothing, and no database is asked."""
    client = serve(Route("/{id}", Gettable(), public=True))
    assert client.simulate_get("/a%00").status_code == 404


def test_a_nul_in_the_query_is_400(serve: Serve) -> None:
    """No text of a query has a NUL in it."""
    client = serve(Route("/", Gettable(), public=True))
    answer = client.simulate_get("/", query_string="q=a%00")
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_query")
