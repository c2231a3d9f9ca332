"""Request ids and log lines: one of each per request, and no secret in any."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import falcon
import pytest
import structlog
from falcon.testing import TestClient

from ipcraft.context import request_id
from ipcraft.contributions import Identity, Route
from ipcraft.logs import configure_logs, redact

Serve = Callable[..., TestClient]

KEY = "ipc_" + "a" * 40


pytestmark = pytest.mark.usefixtures("json_logs")


class Echo:
    """Tell the id of the request as the domain sees it."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the id."""
        resp.media = request_id()


class Holder:
    """Take any bearer token."""

    name = "holder"

    def authenticate(self, request: falcon.Request) -> Identity | None:
        """Recognize the sender."""
        if request.auth is None:
            return None
        return Identity(organization_id="org_1", user_id=None, role="owner", scheme="test")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Give what was logged."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize("incoming", ["trace-4711", "x" * 128, "!~"])
def test_a_sane_id_is_kept(serve: Serve, incoming: str) -> None:
    """The client's id is the request's, for the answer and for the domain."""
    client = serve(Route("/", Echo(), public=True))
    answer = client.simulate_get("/", headers={"X-Request-Id": incoming})
    assert (answer.headers["x-request-id"], answer.json) == (incoming, incoming)


@pytest.mark.parametrize("incoming", ["", "x" * 129, "a b", "a\tb", "\xe9", "a\x7f"])
def test_any_other_id_is_replaced(serve: Serve, incoming: str) -> None:
    """An id that is too long or not visible ASCII is not repeated."""
    client = serve(Route("/", Echo(), public=True))
    answer = client.simulate_get("/", headers={"X-Request-Id": incoming})
    assert len(answer.json) == 32
    assert answer.headers["x-request-id"] == answer.json


def test_each_request_has_its_own_id(serve: Serve) -> None:
    """Ids differ."""
    client = serve(Route("/", Echo(), public=True))
    assert client.simulate_get("/").json != client.simulate_get("/").json


def test_each_request_is_one_line(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    """A line says what was asked, by whom, and how it went."""
    client = serve(Route("/", Echo()), backends=[Holder()])
    client.simulate_get("/", headers={"Authorization": f"Bearer {KEY}", "X-Request-Id": "t-1"})
    (line,) = lines(capsys)
    assert line.pop("milliseconds") >= 0
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "path": "/",
        "status": 200,
        "organization": "org_1",
        "request_id": "t-1",
    }


def test_a_line_has_the_template_and_no_query(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither ids in paths nor tokens in queries are logged."""

    class Verify:
        def on_get(self, req: falcon.Request, resp: falcon.Response, part: str) -> None:
            resp.media = part

    client = serve(Route("/auth/{part}", Verify(), public=True))
    client.simulate_get("/auth/verify?token=tell-nobody")
    client.simulate_get("/elsewhere/tell-nobody")
    written = capsys.readouterr().err
    assert "tell-nobody" not in written
    assert "/auth/{part}" in written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"key {KEY} used", "key ipc_aaaaaaaa*** used"),
        (f'"Authorization": "Bearer {KEY}"', '"Authorization": "Bearer ***"'),
        ("whsec_" + "0" * 64, "whsec_***"),
        ("session=abc; other=1", "session=***; other=1"),
        ("/verify?token=abc&x=1", "/verify?token=***&x=1"),
        (
            "postgresql+psycopg://ipcraft:pa:ss@db:5432/x",
            "postgresql+psycopg://ipcraft:***@db:5432/x",
        ),
        ("http://localhost:8000/a@b", "http://localhost:8000/a@b"),
    ],
)
def test_secrets_are_cut_out(text: str, written: str) -> None:
    """Whatever looks like a secret is cut; what helps to find its owner stays."""
    assert redact(text) == written


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_logger_writes_a_secret(form: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Values, tracebacks and other libraries' lines are cut alike."""
    configure_logs(form=form)
    structlog.get_logger().info("seen", authorization="tell-nobody", note=KEY)
    try:
        raise RuntimeError(KEY)
    except RuntimeError:
        structlog.get_logger().exception("failed")
    logging.getLogger("sqlalchemy").warning("url %s", "postgresql://a:tell-nobody@db/x")
    written = capsys.readouterr().err
    assert "failed" in written
    assert "RuntimeError" in written
    assert "postgresql://a:" in written
    assert "tell-nobody" not in written
    assert KEY not in written


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below the level is not written."""
    configure_logs(level="warning", form="json")
    structlog.get_logger().info("small")
    structlog.get_logger().warning("large")
    assert [line["event"] for line in lines(capsys)] == ["large"]
