"""An installation with everything there is, and how an operator runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipcraft.testing.applications import SECRET_KEY
from ipcraft.testing.serving import Served

PATIENCE = 60


class Site:
    """Be an operator: in one folder, with one ``ipcraft.toml``, on one database."""

    def __init__(self, folder: Path, *, database_url: str, redis_url: str, smtp_url: str) -> None:
        self._folder = folder
        self._database_url = database_url
        self._environ = {
            "IPCRAFT_REDIS_URL": redis_url,
            "IPCRAFT_SMTP_URL": smtp_url,
            "IPCRAFT_LOG_LEVEL": "debug",
        }

    def configure(self, text: str) -> None:
        """Write ``ipcraft.toml``."""
        (self._folder / "ipcraft.toml").write_text(text)

    @contextmanager
    def serve(self) -> Iterator[Served]:
        """Run ``ipcraft serve`` and ``ipcraft worker``."""
        served = Served(self._database_url, self._folder, environ=self._environ)
        with served, self._worker():
            yield served

    def run(self, *arguments: str) -> str:
        """Run a command to its end and give what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "ipcraft", *arguments],
            env=self._variables(),
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def logs(self) -> str:
        """Give all that servers and workers have written."""
        return "".join(path.read_text() for path in sorted(self._folder.glob("*.log")))

    def _variables(self) -> dict[str, str]:
        known = {
            "IPCRAFT_DATABASE_URL": self._database_url,
            "IPCRAFT_SECRET_KEY": SECRET_KEY,
        }
        return {**os.environ, **self._environ, **known}

    @contextmanager
    def _worker(self) -> Iterator[None]:
        with (self._folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ipcraft", "worker"],
                env=self._variables(),
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        try:
            yield
        finally:
            process.terminate()
            ended = process.wait(PATIENCE)
        # One that is still starting knows no orderly end.
        assert ended in (0, -signal.SIGTERM), self.logs()
