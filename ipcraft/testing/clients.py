"""A client that speaks for somebody to an application in this process."""

from __future__ import annotations

from typing import Any

import falcon
import falcon.testing

from ipcraft.app import Application, build, start_process


class Client:
    """Send requests with a key, or as a browser with a session, straight to the application."""

    def __init__(
        self, app: Application, key: str | None = None, *, session: str | None = None
    ) -> None:
        start_process(app)
        self.app = app
        self._app: falcon.App[Any, Any] = build(app)
        self.key = key
        self.session = session

    def get(self, path: str, **options: Any) -> falcon.testing.Result:
        """Send a GET; options are those of `falcon.testing.simulate_request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> falcon.testing.Result:
        """Send a POST."""
        return self.request("POST", path, **options)

    def patch(self, path: str, **options: Any) -> falcon.testing.Result:
        """Send a PATCH."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> falcon.testing.Result:
        """Send a DELETE."""
        return self.request("DELETE", path, **options)

    def request(self, method: str, path: str, **options: Any) -> falcon.testing.Result:
        """Send a request. A header given as None is left out."""
        headers = {**self._credentials(), **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        return falcon.testing.simulate_request(self._app, method, path, headers=headers, **options)

    def _credentials(self) -> dict[str, str]:
        found = {}
        if self.key:
            found["Authorization"] = f"Bearer {self.key}"
        if self.session:
            found |= {"Cookie": f"session={self.session}", "X-Requested-With": "XMLHttpRequest"}
        return found
