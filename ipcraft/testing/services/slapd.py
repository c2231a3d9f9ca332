"""slapd, OpenLDAP's server, with a directory of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from ipcraft.testing.services.endings import Ending
from ipcraft.testing.services.processes import (
    LOOPBACK,
    Account,
    MissingService,
    answers,
    end,
    free_port,
    run,
    spawn,
    temporary_folder,
    wait_until,
)

_SCHEMA_FOLDERS = (Path("/etc/ldap/schema"), Path("/etc/openldap/schema"))
_SCHEMAS = ("core", "cosine", "inetorgperson", "nis")

_CONFIGURATION = """\
{schemas}
pidfile {folder}/pid
argsfile {folder}/args
{tls}
{options}
database ldif
suffix "{suffix}"
directory "{folder}/data"
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
"""

_TLS = """\
TLSCertificateFile {folder}/certificate.pem
TLSCertificateKeyFile {folder}/key.pem
"""


class Slapd(Ending):
    """A slapd of our own on free loopback ports.

    >>> with Slapd("dc=example,dc=com", LDIF) as slapd:
    ...     connect(slapd.url)

    It holds the entries of `ldif` below `suffix`; their passwords are taken as they stand there.
    Who is bound may read everything but passwords, and nobody else anything. With the PEM texts
    of a certificate and its key, `tls_url` is served too, and StartTLS on `url`. `options` are
    lines of its configuration, such as ``allow bind_anon_dn``.
    """

    def __init__(
        self,
        suffix: str,
        ldif: str,
        *,
        certificate: bytes | None = None,
        key: bytes | None = None,
        options: str = "",
    ) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"ldap://{LOOPBACK}:{self.port}"
        self.tls_url = f"ldaps://{LOOPBACK}:{self.tls_port}"
        self._account = Account.unprivileged()
        self._folder = temporary_folder("slapd", account=self._account)
        files = {"entries.ldif": ldif.encode()}
        if certificate is not None and key is not None:
            files |= {"certificate.pem": certificate, "key.pem": key}
        try:
            files["slapd.conf"] = _configuration(
                self._folder, suffix=suffix, options=options, tls="key.pem" in files
            ).encode()
            self._write(files)
            self._start(tls="key.pem" in files)
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    def close(self) -> None:
        """Stop slapd and remove its folder."""
        end(self._process, politely=signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, files: Mapping[str, bytes]) -> None:
        data = self._folder / "data"
        data.mkdir()
        for name, content in files.items():
            (self._folder / name).write_bytes(content)
        if self._account is not None:
            for path in (data, *(self._folder / name for name in files)):
                os.chown(path, self._account.uid, self._account.gid)

    def _start(self, *, tls: bool) -> None:
        folder, account, log = self._folder, self._account, self._folder / "log"
        configured: list[str | Path] = ["-f", folder / "slapd.conf"]
        load = [_program("slapadd"), *configured, "-l", folder / "entries.ldif"]
        run(load, account=account, folder=folder, log=log)
        urls = f"{self.url}/ {self.tls_url}/" if tls else f"{self.url}/"
        # A debug level, even none, keeps it in the foreground: then it is the process we started.
        serve = [_program("slapd"), *configured, "-h", urls, "-d", "0"]
        self._process = spawn(serve, account=account, folder=folder, log=log)
        try:
            wait_until(lambda: answers(self.port), process=self._process, log=log)
        except BaseException:
            end(self._process, politely=signal.SIGTERM)
            raise


def _configuration(folder: Path, *, suffix: str, options: str, tls: bool) -> str:
    return _CONFIGURATION.format(
        folder=folder,
        schemas="\n".join(f"include {_schemas()}/{name}.schema" for name in _SCHEMAS),
        tls=_TLS.format(folder=folder) if tls else "",
        options=options,
        suffix=suffix,
    )


def _schemas() -> Path:
    for folder in _SCHEMA_FOLDERS:
        if folder.is_dir():
            return folder
    raise _missing()


def _program(name: str) -> Path:
    """Find a program of slapd; Debian keeps them outside an ordinary user's PATH."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise _missing()
    return Path(found)


def _missing() -> MissingService:
    return MissingService("The tests need OpenLDAP's server: `apt-get install slapd`.")
