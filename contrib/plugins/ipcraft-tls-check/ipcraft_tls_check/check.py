"""The tool: a handshake as browsers make it, and another one that looks only where it fails."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from marshmallow import fields, validate

from ipcraft.plugin import Application, Unreachable
from ipcraft_nettools import Call, Finding, HostName, NetworkTool, Parameters
from ipcraft_tls_check.certificates import Certificate, read_certificate

_HTTPS = 443
_LAST_PORT = 65535


class Check(TypedDict):
    """How a server speaks TLS.

    `trusted` is whether browsers would take the certificate for this host; `problem` says why
    not, and is null otherwise.
    """

    host: str
    port: int
    trusted: bool
    problem: str | None
    protocol: str | None
    cipher: str | None
    certificate: Certificate


class _Parameters(Parameters):
    host = HostName(required=True, metadata={"description": "The host's name or address."})
    port = fields.Integer(
        load_default=_HTTPS,
        validate=validate.Range(1, _LAST_PORT),
        metadata={"description": "The port; 443 unless given."},
    )


def tls_tool(app: Application) -> NetworkTool:
    """Make the tool `tls`. It trusts the authorities that the application trusts."""
    checker = _Checker(ca_file=app.settings.outbound_ca_file, clock=app.clock)
    return NetworkTool(
        name="tls",
        summary="Look at the TLS certificate of a server.",
        parameters=_Parameters,
        answer=Check,
        run=checker.run,
    )


class _Checker:
    def __init__(self, *, ca_file: str | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._strict = ssl.create_default_context()
        if ca_file is not None:
            self._strict.load_verify_locations(ca_file)
        # APPSEC: takes any certificate, to look at it. Nothing is sent on such a connection.
        self._curious = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._curious.check_hostname = False
        self._curious.verify_mode = ssl.CERT_NONE

    def run(self, values: Mapping[str, Any], call: Call) -> Finding:
        """Check a host's port."""
        host, port = values["host"], values["port"]
        problem = None
        try:
            session = _handshake(call, host, port, context=self._strict)
        except ssl.SSLCertVerificationError as error:
            problem = error.verify_message
            session = _handshake(call, host, port, context=self._curious)
        with session:
            der = session.getpeercert(binary_form=True)
            if der is None:
                raise Unreachable("the server has no certificate")
            cipher = session.cipher()
            found = Check(
                host=host,
                port=port,
                trusted=problem is None,
                problem=problem,
                protocol=session.version(),
                cipher=cipher[0] if cipher else None,
                certificate=read_certificate(der, now=self._clock()),
            )
        return Finding(found)


def _handshake(call: Call, host: str, port: int, *, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Connect and begin TLS, within what is left of the call.

    Raises `Unreachable`, and `ssl.SSLCertVerificationError` for a certificate that is not taken.
    """
    opened = call.connect(host, port)
    try:
        return context.wrap_socket(opened, server_hostname=host)
    except ssl.SSLCertVerificationError:
        raise
    except TimeoutError as error:
        raise call.deadline.passed() from error
    except OSError as error:
        raise Unreachable(f"TLS fails: {error.strerror or error}") from error
    finally:
        opened.close()  # of no effect where TLS has taken the connection over
