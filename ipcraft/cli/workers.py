"""gunicorn, inside: a master that forks the processes which answer."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from ipcraft.app import Application, begin_jobs, build, create_application, start_process
from ipcraft.cli.unreadable_requests import LINE_LIMIT
from ipcraft.cli.worker import OPEN, Worker
from ipcraft.config import Settings
from ipcraft.metrics.folder import forget, remove, share_new

_SHARED_MEMORY = "/dev/shm"


class ServerLog(Logger):
    """Write what gunicorn has to say among our own log lines."""

    def setup(self, cfg: Any) -> None:
        """Take the settings, and leave the writing to the root logger."""
        super().setup(cfg)
        self.error_log.propagate = True


class Workers(BaseApplication):
    """Serve one socket with worker processes, each with its own application.

    `ready` is called once, when the processes are about to be forked.
    """

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        *,
        workers: int,
        threads: int,
        ready: Callable[[], object],
    ) -> None:
        self._settings = settings
        self._application: Application | None = None
        made = share_new() if settings.metrics and settings.metrics_folder is None else None
        self._gunicorn = {
            "bind": f"fd://{listener.detach()}",
            "worker_class": f"{Worker.__module__}.{Worker.__name__}",
            "workers": workers,
            "threads": threads,
            "logger_class": ServerLog,
            "errorlog": None,
            "loglevel": "warning",
            # The time a worker may be silent; its requests may take longer.
            "timeout": 60,
            "graceful_timeout": 30,
            # Longer than the usual proxies keep theirs, so that it is not we who hang up.
            "keepalive": 75,
            "backlog": 2048,
            "worker_connections": 1000,
            "limit_request_line": LINE_LIMIT,
            # What proxies say of scheme and path is not asked for: `public_url` tells it. PERF: to
            # look up whether a peer may say it takes 4 us of each request.
            "forwarded_allow_ips": "*",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            # A heartbeat that is written to a disk stops when the disk does.
            "worker_tmp_dir": _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None,
            "control_socket_disable": True,
            "when_ready": lambda server: ready(),
            "worker_exit": lambda server, worker: self._end(),
            "child_exit": lambda server, worker: _forget(worker),
            "on_exit": lambda server: remove(made),
        }
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings, those that its version knows."""
        for name, value in self._gunicorn.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Make the WSGI app of one process, after it was forked."""
        app = self._application = create_application(self._settings)
        start_process(app)
        begin_jobs(app)
        app.measure()
        served = build(app)
        # PERF: what is there now stays. Looking through it for garbage again and again takes 50 ms
        # each time, from whatever request is being answered.
        gc.collect()
        gc.freeze()
        return served

    def _end(self) -> None:
        """Finish what only this process would do, after its last request."""
        if self._application is not None:
            self._application.close()


def _forget(worker: Worker) -> None:
    """Take a process that has ended out of what the others know."""
    OPEN.forget(worker.age)
    forget(int(worker.pid))
