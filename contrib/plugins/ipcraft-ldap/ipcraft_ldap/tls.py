"""TLS to the directory, verified by Python's own means: the chain, and the name or address."""

from __future__ import annotations

import ssl

from ldap3 import Connection, Tls

from ipcraft.plugin import StartError


class VerifyingTls(Tls):
    """Have the server prove that it is the one of the URL.

    ldap3 compares names with code of its own where Python no longer offers any.
    """

    def __init__(self, ca_file: str | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        try:
            self._context = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise StartError(
                f"[plugins.ldap] ca_file: cannot read certificates from {ca_file}: {error}"
            ) from error

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:  # noqa: FBT001, FBT002 - ldap3's signature
        """Begin TLS on the connection."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )
