"""Worker processes, which may be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ipcraft.testing.applications import SECRET_KEY

_PATIENCE = 60.0


class Worker:
    """Run ``ipcraft worker`` until it is closed; after each `kill` another one takes its place."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = {**os.environ, "IPCRAFT_SECRET_KEY": SECRET_KEY, **environ}
        self.log = folder / f"worker-{id(self)}.log"
        self.process = self._start()

    def kill(self) -> None:
        """Kill the process where it stands, and start another one."""
        self.process.kill()
        self.process.wait(_PATIENCE)
        self.process = self._start()

    def close(self) -> None:
        """End the process in order."""
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

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ipcraft", "worker"]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=self._folder, env=self._environ, stdout=log, stderr=log
            )
