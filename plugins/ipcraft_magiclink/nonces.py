"""Nonces: a browser keeps one, so that it is known again when the link comes back.

Mail scanners open links. A link that is opened by another browser than the one that asked for it
is only used up once somebody presses a button.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from hashlib import sha256

import falcon

from ipcraft.plugin import Application
from ipcraft_accounts import is_token, new_token, token_hash
from ipcraft_magiclink.links import LIFETIME

COOKIE = "magic_link"
"""The name of the cookie."""

_PURPOSE = "magiclink nonces"
_FORM = "magiclink forms"
_PAST = datetime(1970, 1, 1, tzinfo=UTC)


def nonce_of(app: Application, req: falcon.Request) -> str | None:
    """Give the nonce that we once gave to the browser, or None."""
    for value in req.get_cookie_values(COOKIE) or ():
        nonce, _, signature = value.partition(".")
        if is_token(nonce) and hmac.compare_digest(
            signature.encode(), _sign(app, _PURPOSE, nonce).encode()
        ):
            return nonce
    return None


def give_nonce(app: Application, req: falcon.Request, resp: falcon.Response) -> str:
    """Have the browser keep a nonce, the one it has or a new one, and give it."""
    nonce = nonce_of(app, req) or new_token()
    _set(app, resp, f"{nonce}.{_sign(app, _PURPOSE, nonce)}", max_age=LIFETIME)
    return nonce


def forget_nonce(app: Application, resp: falcon.Response) -> None:
    """Have the browser forget its nonce: it has served."""
    # Falcon leaves a Max-Age of 0 out.
    _set(app, resp, "", expires=_PAST)


def is_hash_of(nonce: str | None, nonce_hash: bytes | None) -> bool:
    """Tell whether a link was asked for by the browser that has this nonce."""
    if nonce is None or nonce_hash is None:
        return False
    return hmac.compare_digest(token_hash(nonce), nonce_hash)


def form_proof(app: Application, *, nonce: str, token: str) -> str:
    """Give what a form carries that we made for this browser and this link.

    Another site can make a browser send a form, but neither with our cookie nor with this.
    """
    return _sign(app, _FORM, f"{nonce}.{token}")


def is_form_proof(app: Application, proof: str, *, nonce: str | None, token: str) -> bool:
    """Tell whether a form is one that we made for this browser."""
    if nonce is None:
        return False
    return hmac.compare_digest(proof.encode(), form_proof(app, nonce=nonce, token=token).encode())


def _sign(app: Application, purpose: str, text: str) -> str:
    return hmac.new(app.key_for(purpose), text.encode(), sha256).hexdigest()


def _set(
    app: Application,
    resp: falcon.Response,
    value: str,
    *,
    max_age: int | None = None,
    expires: datetime | None = None,
) -> None:
    resp.set_cookie(
        COOKIE,
        value,
        max_age=max_age,
        expires=expires,
        path="/",
        secure=(app.settings.public_url or "").startswith("https:"),
        http_only=True,
        same_site="Lax",
    )
