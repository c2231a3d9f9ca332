"""The answer on its way: it can be begun anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import falcon


class Response(falcon.Response):
    """Be an answer that a responder, run again, makes from its start."""

    __slots__ = ()

    def begin(self, headers: Mapping[str, str]) -> None:
        """Be as before the responder was run, with these headers and without a cookie."""
        for name in self.headers.keys() - headers.keys():
            self.delete_header(name)
        self.set_headers(dict(headers))
        self.status = falcon.HTTP_200
        self.text = self.data = self.stream = self.media = None
        self.forget_cookies()

    def forget_cookies(self) -> None:
        """Set no cookie."""
        self._cookies = None

    def read_stream(self) -> None:
        """Make the body of a streamed answer its data."""
        stream, self.stream = self.stream, None
        if stream is not None:
            self.data = b"".join(stream) if isinstance(stream, Iterable) else stream.read()
