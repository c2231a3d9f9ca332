"""One connection to a server: each request is sent until it has a whole answer.

A request that changes something carries a key, so that it may be sent again and is done once. It
is sent again after no answer, a cut one, and those that say that trying again helps.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ipcraft.client.answers import Answer
from ipcraft.client.errors import ClientError, RequestRefused, Unreachable
from ipcraft.client.files import Files

if TYPE_CHECKING:
    import requests
    from tenacity import RetryCallState

T = TypeVar("T")

_BLOCK = 1 << 16
_SAFE = ("GET", "HEAD", "OPTIONS")
_TRANSIENT = (429, 502, 503, 504)
_STILL_RUNNING = "still_running"
_WITHOUT_BODY = (204, 304)
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_LONGEST_REASON = 200


class _Again(Exception):
    """Have a request sent again, in so many seconds or a while; else `reason` is raised."""

    def __init__(self, reason: ClientError, *, seconds: float | None = None) -> None:
        super().__init__()
        self.reason = reason
        self.seconds = seconds


class Connection:
    """Send requests to one server with one key. Use it in one thread at a time.

    `timeout` is how many seconds the server may be silent, `patience` for how many seconds a
    request is sent again at most.
    """

    def __init__(
        self, url: str, key: str, *, timeout: float = 30.0, patience: float = 60.0
    ) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._patience = patience
        self._opened: requests.Session | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,
    ) -> Answer:
        """Send a request until it is answered, and give the answer.

        `path` is below the server's URL, or a URL of the server. `once` is for the few writes that
        take no key: they are not sent again where they may have been done.

        Raises `RequestRefused` and `Unreachable`.
        """
        named = dict(headers or {})
        if method not in _SAFE and not once:
            named.setdefault("Idempotency-Key", str(uuid.uuid4()))
        url = self._url(path)
        options = {"params": params, "json": json, "headers": named}

        def ask() -> Answer:
            if files is None:
                response = self._ask(method, url, options, once=once)
            else:
                with files.opened() as (body, kind):
                    typed = {"data": body, "headers": {**named, "Content-Type": kind}}
                    response = self._ask(method, url, {**options, **typed}, once=once)
            if _is_cut(response):
                raise _again(Unreachable(f"the answer of {url} was cut"), unless=once)
            return _read(response, once=once)

        return self._until_answered(ask)

    def receive(self, path: str, *, params: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """Ask for a file until it comes, and give it in pieces. `path` is as for `send`.

        Raises `RequestRefused` and `Unreachable`, also when the file is cut: it is not asked for
        again then, because a part of it is given already.
        """
        url = self._url(path)
        options = {"params": params, "headers": {"Accept": "*/*"}, "stream": True}

        def ask() -> requests.Response:
            response = self._ask("GET", url, options, once=False)
            if not _is_success(response):
                _read(response, once=False)
            return response

        response = self._until_answered(ask)
        with response:
            yield from _pieces(response, url)

    def _url(self, path: str) -> str:
        return path if path.startswith(f"{self.url}/") else f"{self.url}/{path.lstrip('/')}"

    def _until_answered(self, ask: Callable[[], T]) -> T:
        from tenacity import Retrying, retry_if_exception_type, stop_after_delay

        trying = Retrying(
            retry=retry_if_exception_type(_Again),
            stop=stop_after_delay(self._patience),
            wait=_pause,
            reraise=True,
        )
        try:
            return trying(ask)
        except _Again as last:
            raise last.reason from last.__cause__

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _ask(
        self, method: str, url: str, options: Mapping[str, Any], *, once: bool
    ) -> requests.Response:
        import requests

        try:
            return self._session().request(
                method, url, timeout=self._timeout, allow_redirects=False, **options
            )
        except requests.Timeout as error:
            reason = Unreachable(f"{url} does not answer within {self._timeout:g} s")
            raise _again(reason, unless=once) from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise _again(Unreachable(f"{url} cannot be reached"), unless=once) from error
        except requests.RequestException as error:
            raise Unreachable(f"{url}: {error}") from error

    def _session(self) -> requests.Session:
        if self._opened is None:
            import requests

            self._opened = requests.Session()
            # A body that is not compressed has the length that its head says.
            self._opened.headers.update(
                {
                    "Authorization": f"Bearer {self._key}",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                }
            )
        return self._opened


def _again(reason: ClientError, *, unless: bool) -> Exception:
    return reason if unless else _Again(reason)


def _pause(state: RetryCallState) -> float:
    """Give the seconds that the server asks for, else a little longer each time."""
    from tenacity.wait import wait_random_exponential

    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Again) and error.seconds is not None:
        return error.seconds
    return float(wait_random_exponential(_FIRST_PAUSE, _LONGEST_PAUSE)(state))


def _pieces(response: requests.Response, url: str) -> Iterator[bytes]:
    import requests

    try:
        yield from response.iter_content(_BLOCK)
    except requests.RequestException as error:
        raise Unreachable(f"the answer of {url} was cut") from error


def _is_cut(response: requests.Response) -> bool:
    """Tell whether an answer may have ended early: one cut within its head looks bodiless."""
    chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
    if response.status_code in _WITHOUT_BODY or chunked:
        return False
    return response.headers.get("Content-Length") != str(len(response.content))


def _read(response: requests.Response, *, once: bool) -> Answer:
    body = _json(response)
    if _is_success(response):
        headers = response.headers
        total = headers.get("X-Total-Count")
        link = response.links.get("next")
        return Answer(
            status=response.status_code,
            body=body,
            tag=headers.get("ETag"),
            replayed=headers.get("Idempotent-Replayed") == "true",
            total=None if total is None else int(total),
            next=None if link is None else _absolute(response, link["url"]),
        )
    refusal = _refusal(response, body)
    transient = (429,) if once else _TRANSIENT
    if response.status_code in transient or refusal.code == _STILL_RUNNING:
        raise _Again(refusal, seconds=_seconds(response.headers.get("Retry-After")))
    raise refusal


def _is_success(response: requests.Response) -> bool:
    return response.ok and not response.is_redirect


def _json(response: requests.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        if not _is_success(response):
            return None
        raise Unreachable(f"{response.url} answered {response.status_code} and no JSON") from error


def _refusal(response: requests.Response, body: Any) -> RequestRefused:
    status, url = response.status_code, response.url.partition("?")[0]
    if not isinstance(body, dict) or "error" not in body:
        what = response.text[:_LONGEST_REASON].strip() or response.reason
        return RequestRefused(what, url=url, status=status)
    return RequestRefused(
        str(body["error"]),
        url=url,
        status=status,
        code=body.get("code"),
        fields=body.get("fields") or {},
        request_id=body.get("request_id"),
    )


def _absolute(response: requests.Response, link: str) -> str:
    from urllib.parse import urljoin

    return urljoin(response.url, link)


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
