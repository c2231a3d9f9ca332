"""Pages: what a person sees who opens a link in another browser, or a link that does not work."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

import falcon

_STYLE = (
    "body{font-family:sans-serif;color:#222;max-width:28rem;margin:20vh auto;text-align:center}"
    "button{font-size:1rem;padding:.75rem 1.5rem;border:0;border-radius:6px;"
    "background:#1a56db;color:#fff;cursor:pointer}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>IPCraft</title>
<style>{style}</style>
</head>
<body>
{content}
</body>
</html>
"""
_BUTTON = """\
<p>Press the button to sign in to IPCraft.</p>
<form method="post" action="{action}">
<input type="hidden" name="token" value="{token}">
<input type="hidden" name="proof" value="{proof}">
<button type="submit">Sign in</button>
</form>"""


def send_button(resp: falcon.Response, *, action: str, token: str, proof: str) -> None:
    """Answer with a page whose one button sends the token."""
    _send(
        resp,
        _BUTTON.format(action=escape(action), token=escape(token), proof=escape(proof)),
    )


def send_refusal(resp: falcon.Response, message: str, *, home: str) -> None:
    """Answer with a page that says why not, and where to go on."""
    _send(
        resp,
        f'<p>{escape(message)}.</p>\n<p><a href="{escape(home)}">Go to the sign-in page</a></p>',
    )


def keep_to_ourselves(resp: falcon.Response) -> None:
    """Have neither caches nor other sites learn the address, which holds the token."""
    resp.cache_control = ["no-store"]
    resp.set_header("Referrer-Policy", "no-referrer")


def _send(resp: falcon.Response, content: str) -> None:
    resp.content_type = falcon.MEDIA_HTML
    resp.text = _PAGE.format(style=_STYLE, content=content)
    resp.set_header(
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
    )
    resp.set_header("X-Content-Type-Options", "nosniff")
