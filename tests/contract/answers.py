"""What an answer must look like, whatever was asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SUFFIX = "[0-7][0-9a-hjkmnp-tv-z]{25}"


def created(response: requests.Response) -> Any:
    """Give the body of a 201."""
    assert response.status_code == 201, response.text
    return response.json()


def found(response: requests.Response) -> Any:
    """Give the body of a 200."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].partition(";")[0] == "application/json"
    return response.json()


def gone(response: requests.Response) -> None:
    """Expect a 204, which has no body."""
    assert response.status_code == 204, response.text
    assert response.content == b""


def refused(response: requests.Response, status: int = 400) -> dict[str, Any]:
    """Give the body of an error, which has the contract's shape."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].partition(";")[0] == "application/json"
    body: dict[str, Any] = response.json()
    assert set(body) >= {"error", "code", "request_id"}
    assert isinstance(body["error"], str)
    assert body["error"].strip()
    assert CODE.fullmatch(body["code"])
    assert isinstance(body["request_id"], str)
    assert body["request_id"]
    for complaints in body.get("fields", {}).values():
        assert complaints
        assert all(isinstance(complaint, str) for complaint in complaints)
    return body


def refused_field(response: requests.Response, field: str) -> dict[str, Any]:
    """Give the body of a 400 whose `fields` name the input at fault."""
    body = refused(response)
    assert field in body["fields"], body
    return body


def is_id(text: object, prefix: str) -> bool:
    """Tell whether the value is a TypeID with the prefix."""
    return isinstance(text, str) and re.fullmatch(f"{prefix}_{SUFFIX}", text) is not None


def is_time(text: object) -> bool:
    """Tell whether the value is a time in UTC, RFC 3339, in whole seconds."""
    return isinstance(text, str) and TIME.fullmatch(text) is not None
