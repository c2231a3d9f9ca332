"""Lists: pages, their links, and streams."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import falcon
import pytest
from falcon.testing import Result, TestClient
from hypothesis import given
from hypothesis import strategies as st

from ipcraft.contributions import Route
from ipcraft.errors import NotFound
from ipcraft.http.lists import LARGEST_OFFSET, Page, send_list, stream_list
from ipcraft.http.serving import make_app
from ipcraft_local import LocalRateLimiter

ROWS = [{"number": number} for number in range(95)]


class Numbers:
    """List some rows."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the page."""
        page = Page.of(req)
        end = None if page.limit is None else page.offset + page.limit
        total = len(ROWS) if page.asked else None
        send_list(req, resp, rows=ROWS[page.offset : end], page=page, total=total)


class Newest:
    """List rows with a default."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer with the page itself."""
        page = Page.of(req, default=50, maximum=200)
        resp.media = [page.limit, page.offset, page.asked]


def client(*pages: Any) -> TestClient:
    """Serve the lists."""

    class Streamed:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            stream_list(resp, iter(pages))

    routes = [
        Route("/numbers", Numbers(), public=True),
        Route("/newest", Newest(), public=True),
        Route("/streamed", Streamed(), public=True),
    ]
    return TestClient(
        make_app(
            routes,
            backends=[],
            authorize=lambda *_: True,
            settle=lambda _: None,
            limiter=LocalRateLimiter(),
        )
    )


def get(path: str) -> Result:
    """Get a list."""
    return client().simulate_get(path)


def links(answer: Result) -> dict[str, str]:
    """Read the Link header."""
    return {
        relation: target
        for target, relation in re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers["link"])
    }


def test_without_paging_all_rows_come_plain() -> None:
    """A documented request gets everything, and no header more."""
    answer = get("/numbers")
    assert answer.json == ROWS
    assert not {"link", "x-total-count"} & set(answer.headers)


def test_a_page_has_its_links_and_the_total() -> None:
    """A page names its neighbours, and how long the list is."""
    answer = get("/numbers?limit=10&offset=20")
    assert answer.json == ROWS[20:30]
    assert answer.headers["x-total-count"] == "95"
    assert links(answer) == {
        "first": "/numbers?limit=10&offset=0",
        "prev": "/numbers?limit=10&offset=10",
        "next": "/numbers?limit=10&offset=30",
        "last": "/numbers?limit=10&offset=90",
    }


def test_the_first_page_has_no_previous_and_the_last_no_next() -> None:
    """There is no link where there is no page."""
    assert set(links(get("/numbers?limit=10"))) == {"first", "next", "last"}
    assert set(links(get("/numbers?limit=10&offset=90"))) == {"first", "prev", "last"}


def test_a_page_behind_the_end_is_empty() -> None:
    """An offset too large gives no rows, and the way back."""
    answer = get("/numbers?limit=10&offset=1000")
    assert answer.json == []
    assert links(answer)["prev"] == "/numbers?limit=10&offset=85"


def test_links_keep_the_other_parameters() -> None:
    """A filter goes along from page to page."""
    answer = get("/numbers?limit=10&q=a%26b%3E%C3%A9")
    assert links(answer)["next"] == "/numbers?limit=10&q=a%26b%3E%C3%A9&offset=10"


def test_an_offset_alone_is_a_page_of_the_largest_size() -> None:
    """An offset without a limit takes as many rows as a page may have."""
    answer = get("/numbers?offset=90")
    assert answer.json == ROWS[90:]
    assert links(answer)["first"] == "/numbers?offset=0&limit=1000"


@given(limit=st.integers(1, 100), start=st.integers(0, 120))
def test_following_the_links_gives_every_row_once(limit: int, start: int) -> None:
    """From first by next to the end, the pages are the list; so they are backwards."""
    numbers = client()
    path: str | None = links(numbers.simulate_get(f"/numbers?limit={limit}&offset={start}"))[
        "first"
    ]
    seen: list[Any] = []
    while path:
        answer = numbers.simulate_get(path)
        seen += answer.json
        path = links(answer).get("next")
    assert seen == ROWS


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=",
        "limit=ten",
        "limit=1.0",
        "limit=%D9%A1",
        "limit=1&limit=2",
        "offset=-1",
        f"offset={LARGEST_OFFSET + 1}",
        "offset=" + "9" * 5000,
        "limit=+5",
        "offset=0x10",
    ],
)
def test_a_bad_page_is_400(query: str) -> None:
    """Limit and offset are integers in their range; the field is named."""
    answer = get(f"/numbers?{query}")
    assert answer.status_code == 400
    assert list(answer.json["fields"]) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("", [50, 0, False]),
        ("?limit=200", [200, 0, True]),
        ("?offset=5", [50, 5, True]),
        ("?other=1", [50, 0, False]),
    ],
)
def test_a_list_may_have_a_default(query: str, page: list[object]) -> None:
    """A default limits the rows without making the answer a page."""
    assert get(f"/newest{query}").json == page


def test_a_lists_own_maximum_is_said() -> None:
    """The sentence names the largest limit of this list."""
    assert get("/newest?limit=201").json["error"] == "limit must be one integer from 1 to 200"


PAGES = st.lists(st.lists(st.fixed_dictionaries({"n": st.integers()}), max_size=3), max_size=5)


@given(pages=PAGES)
def test_a_stream_is_the_array_of_all_rows(pages: list[list[dict[str, int]]]) -> None:
    """However the rows fall on pages, the body is one JSON array of them."""
    answer = client(*pages).simulate_get("/streamed")
    assert json.loads(answer.content) == [row for page in pages for row in page]
    assert answer.headers["content-type"] == "application/json"


def test_one_page_is_sent_with_its_length() -> None:
    """What fits one page needs no stream."""
    answer = client(ROWS).simulate_get("/streamed")
    assert answer.headers["content-length"] == str(len(answer.content))


def test_an_error_on_the_first_pages_is_an_answer() -> None:
    """Nothing is sent before two pages are there."""

    def pages() -> Iterator[list[dict[str, int]]]:
        yield [{"n": 1}]
        raise NotFound("Gone")

    class Gone:
        def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
            stream_list(resp, pages())

    app = make_app(
        [Route("/", Gone(), public=True)],
        backends=[],
        authorize=lambda *_: True,
        settle=lambda _: None,
        limiter=LocalRateLimiter(),
    )
    assert TestClient(app).simulate_get("/").status_code == 404


def test_pages_are_asked_for_as_they_are_sent() -> None:
    """One page is held at a time, and closing the stream closes the pages."""
    drawn: list[str] = []

    def pages() -> Iterator[list[dict[str, int]]]:
        try:
            for number in range(100):
                drawn.append("page")
                yield [{"n": number}]
        finally:
            drawn.append("closed")

    resp = falcon.Response()
    stream_list(resp, pages())
    stream: Any = resp.stream
    assert [next(stream) for _ in range(3)] == [b'[{"n":0}', b',{"n":1}', b',{"n":2}']
    assert drawn == ["page"] * 3
    stream.close()
    resp.stream = stream = None
    assert drawn[-1] == "closed"


def test_a_stream_that_breaks_is_no_valid_json() -> None:
    """An error in the middle cuts the answer; nobody takes it for the whole list."""

    def pages() -> Iterator[list[dict[str, int]]]:
        yield [{"n": 1}]
        yield [{"n": 2}]
        raise RuntimeError("broken")

    resp = falcon.Response()
    stream_list(resp, pages())
    stream: Any = resp.stream
    sent = [next(stream), next(stream)]
    with pytest.raises(RuntimeError, match="broken"):
        next(stream)
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(sent))
