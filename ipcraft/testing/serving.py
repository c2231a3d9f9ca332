"""A served process, as an operator starts it, for tests over real HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from ipcraft.app import Application
from ipcraft.testing.applications import SECRET_KEY, make_application
from ipcraft.testing.organizations import make_organization
from ipcraft.testing.services import free_port
from ipcraft.testing.services.processes import wait_until

_PATIENCE = 30.0


class Org:
    """Be an organization of a served process, and speak for it with its owner's key."""

    def __init__(self, url: str, session: requests.Session, made: Any) -> None:
        self._url = url
        self.session = session
        self.id: str = made.id
        self.user_id: str = made.user_id
        self.email: str = made.email
        self.key: str = made.key

    def get(self, path: str, *, params: dict[str, Any] | None = None) -> requests.Response:
        """Send a GET."""
        return self._send("GET", path, params=params)

    def post(self, path: str, *, json: Any = None) -> requests.Response:
        """Send a POST."""
        return self._send("POST", path, json=json)

    def patch(self, path: str, *, json: Any = None) -> requests.Response:
        """Send a PATCH."""
        return self._send("PATCH", path, json=json)

    def delete(self, path: str) -> requests.Response:
        """Send a DELETE."""
        return self._send("DELETE", path)

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return self.session.request(
            method, self._url + path, headers=headers, timeout=60, **options
        )


class Served:
    """Run ``ipcraft serve`` on a free loopback port until it is closed."""

    def __init__(
        self,
        database_url: str,
        folder: Path,
        *,
        workers: int = 2,
        threads: int = 4,
        environ: dict[str, str] | None = None,
    ) -> None:
        self.database_url = database_url
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"serve-{self.port}.log"
        self._application: Application | None = None
        self._session = requests.Session()
        command = [sys.executable, "-m", "ipcraft", "serve", "--port", str(self.port)]
        command += ["--workers", str(workers), "--threads", str(threads)]
        environment = {
            **os.environ,
            "IPCRAFT_DATABASE_URL": database_url,
            "IPCRAFT_SECRET_KEY": SECRET_KEY,
            **(environ or {}),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log
            )
        try:
            wait_until(self.is_up, process=self.process, log=self.log)
        except BaseException:
            self.close()
            raise

    def is_up(self) -> bool:
        """Tell whether it answers that it can serve."""
        try:
            return self._session.get(f"{self.url}/readyz", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def organization(self, *, plan: str = "enterprise") -> Org:
        """Make an organization that nobody else uses."""
        return Org(self.url, self._session, make_organization(self.application, plan=plan))

    @property
    def application(self) -> Application:
        """Give an application of this process on the same database."""
        if self._application is None:
            self._application = make_application(self.database_url)
        return self._application

    def close(self) -> None:
        """End the process by its id, in order."""
        self._session.close()
        if self._application:
            self._application.close()
        self.process.terminate()
        self.process.wait(_PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
