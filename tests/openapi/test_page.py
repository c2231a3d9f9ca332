"""The page where people read the document is served whole by us, and may ask nobody else."""

from __future__ import annotations

import re
from hashlib import sha256
from importlib.resources import files

import falcon.testing
import pytest

from ipcraft.app import Application, build
from ipcraft_docs.files import NAMES

VIEWER = files("ipcraft_docs") / "viewer"


@pytest.fixture(scope="module")
def web(app: Application) -> falcon.testing.TestClient:
    """Give a client that has no credentials."""
    return falcon.testing.TestClient(build(app))


def test_the_page_is_served_with_all_it_asks_for(web: falcon.testing.TestClient) -> None:
    """What the page names is there, below the page, with its type."""
    page = web.simulate_get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    asked = set(re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text))
    assert asked == {f"docs/{name}" for name in NAMES}
    for path in asked:
        answer = web.simulate_get(f"/{path}")
        assert answer.status_code == 200
        assert answer.content == (VIEWER / path.removeprefix("docs/")).read_bytes()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_may_run_and_ask_nothing_from_elsewhere(web: falcon.testing.TestClient) -> None:
    """The Content-Security-Policy allows what comes from us and nothing else."""
    policy = web.simulate_get("/docs").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["style-src"] == "'self'"
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_file_that_is_known_is_not_sent_again(web: falcon.testing.TestClient) -> None:
    """The tag of an answer has the next one come without a body."""
    first = web.simulate_get("/docs/swagger-ui.css")
    again = web.simulate_get(
        "/docs/swagger-ui.css", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["SOURCE.md", "..%2Ffiles.py", "page.html", "LICENSE"])
def test_nothing_else_is_served(web: falcon.testing.TestClient, name: str) -> None:
    """Only the files that the page asks for have a path."""
    assert web.simulate_get(f"/docs/{name}").status_code == 404


def test_the_viewer_is_as_it_was_released() -> None:
    """The files of others are those whose sums are written down, and their licence is with them."""
    lines = re.findall(r"^([0-9a-f]{64})  (\S+)$", (VIEWER / "SOURCE.md").read_text(), re.MULTILINE)
    told = {name: digest for digest, name in lines}
    assert set(told) == {"swagger-ui-bundle.js", "swagger-ui.css"}
    for name, digest in told.items():
        assert sha256((VIEWER / name).read_bytes()).hexdigest() == digest
    assert "Apache License" in (VIEWER / "LICENSE").read_text()
    assert "SmartBear" in (VIEWER / "NOTICE").read_text()
