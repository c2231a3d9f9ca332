"""PgBouncer in transaction mode, in front of one database."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from sqlalchemy.engine import make_url

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import (
    LOOPBACK,
    Account,
    MissingService,
    answers,
    end,
    free_port,
    spawn,
    temporary_folder,
    wait_until,
)

_CONFIGURATION = """\
[databases]
{database} = {target}

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 500
"""


class PgBouncer(Ending):
    """A PgBouncer of our own on a free loopback port.

    >>> with PgBouncer(server.create_database(), pool_size=2) as bouncer:
    ...     connect(bouncer.url)

    Its clients share `pool_size` connections, transaction by transaction, so what one client
    leaves in a session another one finds.
    """

    def __init__(self, url: str, *, pool_size: int = 4) -> None:
        target = make_url(url)
        port = free_port()
        self.url = target.set(host=LOOPBACK, port=port, password=None).render_as_string()
        """The URL of the same database through PgBouncer."""
        account = Account.unprivileged()
        self._folder = temporary_folder("pgbouncer", account=account)
        configuration, log = self._folder / "pgbouncer.ini", self._folder / "log"
        parts = {
            "host": target.host,
            "port": target.port,
            "dbname": target.database,
            "user": target.username,
            "password": target.password,
        }
        configuration.write_text(
            _CONFIGURATION.format(
                database=target.database,
                target=" ".join(f"{key}='{value}'" for key, value in parts.items() if value),
                host=LOOPBACK,
                port=port,
                pool_size=pool_size,
            )
        )
        if account is not None:
            os.chown(configuration, account.uid, account.gid)
        try:
            self._process = spawn(
                [_program(), configuration], account=account, folder=self._folder, log=log
            )
            try:
                wait_until(lambda: answers(port), process=self._process, log=log)
            except BaseException:
                end(self._process, politely=signal.SIGTERM)
                raise
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    def close(self) -> None:
        """Stop PgBouncer, whoever is connected, and remove its folder."""
        # A newer PgBouncer waits for its clients on SIGTERM; it keeps nothing worth the wait.
        end(self._process, politely=signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)


def _program() -> Path:
    """Find PgBouncer; Debian keeps it outside an ordinary user's PATH."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise MissingService("The tests need PgBouncer: `apt-get install pgbouncer`.")
    return Path(found)
