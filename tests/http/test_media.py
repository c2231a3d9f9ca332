"""Bodies: what is read, and what is refused with which answer."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import falcon
import pytest
from falcon.testing import Result, TestClient, create_environ
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import fields

from ipcraft.contributions import Route
from ipcraft.http.media import (
    BODY_LIMIT,
    LIST_LIMIT,
    MAXIMUM_ITEMS,
    load,
    load_many,
    load_one_or_many,
)
from ipcraft.http.schemas import Schema
from ipcraft.http.serving import make_app
from ipcraft_local import LocalRateLimiter

JSON = {"Content-Type": "application/json"}


class Folder(Schema):
    """Read a folder."""

    name = fields.String(required=True)
    sort_order = fields.Integer()
    weight = fields.Float()


FOLDER = Folder()


class One:
    """Echo one folder."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with what was loaded."""
        resp.media = load(req, FOLDER)

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with what was loaded, if anything was sent."""
        resp.media = load(req, Folder(partial=True), optional=True)


class Many:
    """Count folders."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take one or many."""
        loaded = load_one_or_many(req, FOLDER)
        resp.media = len(loaded) if isinstance(loaded, list) else "one"

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take a list only."""
        resp.media = len(load_many(req, FOLDER))


class Plain:
    """Echo a body that a resource reads Falcon's own way."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the media."""
        resp.media = req.get_media()


APP = make_app(
    [
        Route("/one", One(), public=True),
        Route("/many", Many(), public=True),
        Route("/plain", Plain(), public=True),
    ],
    backends=[],
    authorize=lambda *_: True,
    settle=lambda _: None,
    limiter=LocalRateLimiter(),
)


def post(
    body: bytes, *, path: str = "/one", headers: Mapping[str, str] = JSON, method: str = "POST"
) -> Result:
    """Send a body."""
    return TestClient(APP).simulate_request(method, path, body=body, headers=headers)


def refused(answer: Result, status: int, code: str) -> dict[str, Any]:
    """Check the shape of an error and give its body."""
    body: dict[str, Any] = answer.json
    assert (answer.status_code, body["code"]) == (status, code), body
    assert body["error"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def nested(levels: int) -> bytes:
    """Make arrays inside an object, so many levels in all."""
    return b'{"name":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


MALFORMED = {
    "empty": b"",
    "blank": b"  ",
    "cut": b'{"name": "a"',
    "two values": b"{} {}",
    "trailing comma": b'{"name": "a",}',
    "duplicate key": b'{"name": "a", "name": "a"}',
    "duplicate key deeper": b'{"name": [{"a": 1, "a": 2}]}',
    "duplicate key, escaped": b'{"name": "a", "n\\u0061me": "b"}',
    "NaN": b'{"weight": NaN}',
    "Infinity": b'{"weight": Infinity}',
    "minus Infinity": b'{"weight": -Infinity}',
    "overflow": b'{"weight": 1e999}',
    "minus overflow": b'{"weight": -1e999}',
    "huge integer": b'{"sort_order": ' + b"9" * 5000 + b"}",
    "text": b'"name"',
    "number": b"1",
    "null": b"null",
    "list": b"[]",
    "NUL": b'{"name": "a\\u0000"}',
    "NUL in a key": b'{"a\\u0000": 1}',
    "NUL byte": b'{"name": "\x00"}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "lone surrogate in a key": b'{"\\udfff": 1}',
    "lone surrogate deeper": b'{"name": [{"a": ["\\ud800"]}]}',
    "encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "not UTF-8": b'{"name": "\xff"}',
    "byte order mark": b'\xef\xbb\xbf{"name": "a"}',
    "33 levels": nested(33),
    "33 levels of text": b"[" * 32 + b'{"a": "\\u0041"}' + b"]" * 32,
    "100,000 levels": b"[" * 100_000,
}


NO_OBJECTS = ("text", "number", "null", "list")


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_bodies_are_400(name: str) -> None:
    """What is no clean JSON object is refused, with a sentence that says why."""
    refused(post(MALFORMED[name]), 400, "malformed_json")


@pytest.mark.parametrize("name", [name for name in MALFORMED if name not in NO_OBJECTS])
def test_falcons_own_way_is_as_strict(name: str) -> None:
    """A resource that reads ``req.media`` gets any JSON value, but no malformed one."""
    refused(post(MALFORMED[name], path="/plain"), 400, "malformed_json")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("duplicate key", 'the key "name" twice'),
        ("NaN", "NaN"),
        ("not UTF-8", "UTF-8: byte 11"),
        ("cut", "line 1, column 13"),
        ("33 levels", "deeper than 32"),
        ("list", "not a list"),
        ("null", "not null"),
        ("NUL", "NUL"),
        ("lone surrogate", "surrogate"),
    ],
)
def test_the_sentence_says_what_is_malformed(name: str, words: str) -> None:
    """A person can find the fault from the sentence."""
    assert words in post(MALFORMED[name]).json["error"]


def test_32_levels_are_read() -> None:
    """The limit of nesting itself is allowed."""
    assert post(nested(32)).json["fields"] == {"name": ["name must be a string"]}


def test_a_surrogate_pair_is_a_character() -> None:
    """Two escapes that make one character are no lone surrogates."""
    assert post(b'{"name": "\\ud83d\\ude00"}').json == {"name": "\U0001f600"}


def test_brackets_in_texts_are_no_nesting() -> None:
    """Only arrays and objects count as levels."""
    assert post(json.dumps({"name": "[" * 100}).encode()).json == {"name": "[" * 100}


def test_an_integer_no_column_holds_names_its_field() -> None:
    """A large integer is the schema's business, so the field is named."""
    body = refused(post(b'{"name": "a", "sort_order": 99999999999999999999}'), 400, "invalid")
    assert list(body["fields"]) == ["sort_order"]


JUNK = st.one_of(
    st.binary(),
    st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["name", "sort_order", "weight", "nmae"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    ).map(lambda value: json.dumps(value).encode()),
    st.lists(st.sampled_from([*'[]{}",:\\u0d8"1eE+-.nN', "NaN", "null"])).map(
        lambda parts: "".join(parts).encode()
    ),
)


@given(body=JUNK)
@example(body=b'{"name":"\\ud800\\ud800\\udc00"}')
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/one"), ("POST", "/many"), ("PUT", "/many"), ("POST", "/plain")]
)
def test_no_body_is_a_defect(method: str, path: str, body: bytes) -> None:
    """Whatever is sent is read or refused; it never fails on our side."""
    answer = post(body, method=method, path=path)
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert {"error", "code", "request_id"} <= set(answer.json)


def test_an_absent_body_may_be_allowed() -> None:
    """An optional body may be left out, and its type with it."""
    assert post(b"", method="PUT", headers={}).json == {}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/jsonx",
        "nonsense",
        ";",
    ],
)
def test_another_content_type_is_415(content_type: str) -> None:
    """A body that does not call itself JSON is refused."""
    answer = post(b'{"name": "a"}', headers={"Content-Type": content_type})
    refused(answer, 415, "unsupported_media_type")


def test_a_missing_content_type_is_415() -> None:
    """A body without a type is refused, and the sentence says so."""
    body = refused(post(b'{"name": "a"}', headers={}), 415, "unsupported_media_type")
    assert "without a type" in body["error"]


def test_a_compressed_body_is_415() -> None:
    """No content encoding is undone."""
    answer = post(b'{"name": "a"}', headers={**JSON, "Content-Encoding": "gzip"})
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
)
def test_json_may_name_its_charset(content_type: str) -> None:
    """A charset that says UTF-8 does no harm."""
    answer = post(b'{"name": "a"}', headers={"Content-Type": content_type})
    assert answer.status_code == 200


def padded(size: int) -> bytes:
    """Make a good body of so many bytes."""
    return b'{"name": "a"}'.ljust(size)


def test_a_body_of_the_limit_is_read() -> None:
    """One mebibyte is allowed."""
    assert post(padded(BODY_LIMIT)).status_code == 200


@pytest.mark.parametrize("path", ["/one", "/many", "/plain"])
def test_a_larger_body_is_413(path: str) -> None:
    """More than one mebibyte is refused, also where lists may be larger."""
    refused(post(padded(BODY_LIMIT + 1), path=path), 413, "body_too_large")


def listed(size: int) -> bytes:
    """Make a good list of so many bytes."""
    return b'  [{"name": "a"}]'.ljust(size)


def test_a_list_may_be_larger() -> None:
    """A list may have 16 MiB where a list is taken."""
    assert post(listed(LIST_LIMIT), path="/many").json == 1


def test_a_list_has_a_limit_too() -> None:
    """More than 16 MiB is refused."""
    refused(post(listed(LIST_LIMIT + 1), path="/many"), 413, "body_too_large")


def test_an_announced_length_is_refused_before_reading() -> None:
    """A body that says it is too large is not read."""

    class Unread(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise AssertionError("read")

    status, _ = _call(Unread(), CONTENT_LENGTH=str(BODY_LIMIT + 1))
    assert status.startswith("413")


def _call(stream: io.IOBase, **environ: object) -> tuple[str, bytes]:
    """Call the app as a WSGI server that hands over a stream."""
    env = create_environ(path="/one", method="POST", headers=JSON)
    env.pop("CONTENT_LENGTH", None)
    env |= {"wsgi.input": stream, **environ}
    seen: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        seen.append(status)

    body = b"".join(APP(env, start_response))
    return seen[0], body


@pytest.mark.parametrize(
    ("size", "status"), [(100, "200"), (BODY_LIMIT, "200"), (BODY_LIMIT + 1, "413")]
)
def test_a_chunked_body_has_the_same_limit(size: int, status: str) -> None:
    """Without a length the body is counted as it is read."""
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert _call(io.BytesIO(padded(size)), **chunked)[0].startswith(status)


def test_a_chunked_body_the_server_does_not_end_is_411() -> None:
    """A stream whose end nobody knows is not read."""
    assert _call(io.BytesIO(b"{}"), HTTP_TRANSFER_ENCODING="chunked")[0].startswith("411")


def test_a_body_that_breaks_off_is_400() -> None:
    """What a server raises for a broken body is the client's fault."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("invalid chunk")

    status, body = _call(Broken(), CONTENT_LENGTH="20")
    assert status.startswith("400")
    assert json.loads(body)["code"] == "malformed_body"


def test_a_route_takes_one_or_many() -> None:
    """An object and a list are told apart."""
    assert post(b'{"name": "a"}', path="/many").json == "one"
    assert post(b'[{"name": "a"}, {"name": "b"}]', path="/many").json == 2
    assert post(b"[]", path="/many").json == 0


def test_a_route_may_take_lists_only() -> None:
    """An object where a list is expected is refused."""
    body = refused(post(b"{}", path="/many", method="PUT"), 400, "malformed_json")
    assert "must be a JSON list, not an object" in body["error"]


def test_an_item_is_named_by_its_index() -> None:
    """The sentence and the fields say which item is wrong."""
    body = refused(
        post(b'[{"name": "a"}, 3, {"name": 4}]', path="/many", method="PUT"), 400, "invalid"
    )
    assert body["error"] == "item 1: it must be a JSON object"
    assert body["fields"] == {
        "1": ["it must be a JSON object"],
        "2.name": ["name must be a string"],
    }


def test_a_list_of_too_many_items_is_400() -> None:
    """A list has at most 10,000 items."""
    items = [{"name": "a"}] * MAXIMUM_ITEMS
    assert post(json.dumps(items).encode(), path="/many").json == MAXIMUM_ITEMS
    answer = post(json.dumps([*items, {"name": "a"}]).encode(), path="/many")
    refused(answer, 400, "too_many_items")


def test_many_bad_items_are_not_all_listed() -> None:
    """A hopeless list is given up after some items."""
    body = refused(post(json.dumps([1] * MAXIMUM_ITEMS).encode(), path="/many"), 400, "invalid")
    assert len(body["fields"]) == 20


def test_many_unknown_fields_are_not_all_listed() -> None:
    """A body full of unknown fields is refused without naming each."""
    sent = {f"field{number}": 1 for number in range(50_000)}
    body = refused(post(json.dumps(sent).encode()), 400, "invalid")
    assert len(body["fields"]) == 21


def test_answers_hold_exact_integers(serve: Callable[..., TestClient]) -> None:
    """An integer of more than 64 bits is written with every digit."""

    class Usage:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            resp.media = {"total": 2**96, "name": "é"}

    answer = serve(Route("/usage", Usage(), public=True)).simulate_get("/usage")
    assert answer.json == {"total": 2**96, "name": "é"}
