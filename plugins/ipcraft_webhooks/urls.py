"""URLs of webhooks: https, to a host that may be reached."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from ipcraft.plugin import Application, Invalid, Refused

_HTTPS = "https://"


def check_url(app: Application, url: str) -> None:
    """Raise `Invalid` for a URL that nothing would be sent to.

    Whatever is sent is judged again, by the address that is then connected to.
    """
    try:
        app.outbound.check(url, https_only=not _may_be_plain(app, url))
    except Refused as error:
        raise Invalid.field("url", f"url cannot be used: {error.reason}", code="bad_url") from error


def _may_be_plain(app: Application, url: str) -> bool:
    """Tell whether http is good enough: nobody from outside is served, or it goes to our own net.

    The latter only for a host that is written as an address: who answers for a name may change.
    """
    if not (app.settings.public_url or "").startswith(_HTTPS):
        return True
    try:
        address = ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return any(address in network for network in app.settings.allowed_networks)
