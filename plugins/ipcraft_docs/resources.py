"""The page and its files over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Content, operation
from ipcraft_docs.files import NAMES, PAGE, File, file_named

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do: nothing but run, look and ask here.

Source: https://cheatsheetseries.owasp.org/cheatsheets/Content_Security_Policy_Cheat_Sheet.html
"""

_UNCHANGED = Content(description="It is the one that you have.")
_TAG = {"ETag": "Changes with the file."}


class PageResource:
    """Answer ``/docs``."""

    def __init__(self) -> None:
        self._page = File.of(PAGE)

    @operation(
        answers={
            200: Content(str, media_type=falcon.MEDIA_HTML, headers=_TAG),
            304: _UNCHANGED,
        }
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show this documentation in a browser, where a call can be tried."""
        resp.set_header("Content-Security-Policy", POLICY)
        resp.set_header("Referrer-Policy", "no-referrer")
        _send(req, resp, self._page)


class FileResource:
    """Answer ``/docs/{name}``."""

    def __init__(self) -> None:
        self._files = {name: File.of(name) for name in NAMES}

    @operation(
        answers={
            200: Content(
                str,
                media_type="text/javascript",
                also={"text/css": str},
                headers=_TAG,
            ),
            304: _UNCHANGED,
        }
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Give a file that the page consists of."""
        _send(req, resp, file_named(self._files, name))


def _send(req: falcon.Request, resp: falcon.Response, file: File) -> None:
    resp.etag = file.tag
    resp.cache_control = ["no-cache"]
    resp.set_header("X-Content-Type-Options", "nosniff")
    if any(known in ("*", file.tag) for known in req.if_none_match or ()):
        resp.status = falcon.HTTP_304
        return
    resp.content_type = file.media_type
    resp.data = file.read()
