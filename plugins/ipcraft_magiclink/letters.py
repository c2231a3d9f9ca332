"""Letters: what the mails say, as text and as HTML."""

from __future__ import annotations

from html import escape

from ipcraft.plugin import Letter, rfc3339
from ipcraft_magiclink.invitations import Outgoing
from ipcraft_magiclink.links import LIFETIME

_HTML = """\
<!DOCTYPE html>
<html lang="en">
<body style="font-family: sans-serif; color: #222">
<p>{greeting}</p>
<p><a href="{link}" style="display: inline-block; padding: 12px 24px; border-radius: 6px; \
background: #1a56db; color: #fff; text-decoration: none">{button}</a></p>
<p style="color: #666">{note}</p>
</body>
</html>
"""


def sign_in_letter(email: str, *, link: str) -> Letter:
    """Write the mail with the link that somebody asked for."""
    return _letter(
        email,
        subject="Sign in to IPCraft",
        greeting="Open this link to sign in to IPCraft:",
        button="Sign in",
        note=f"It works once, within {LIFETIME // 60} minutes. "
        "If you did not ask for it, you can ignore this mail.",
        link=link,
    )


def invitation_letter(outgoing: Outgoing, *, link: str) -> Letter:
    """Write the mail of an invitation."""
    return _letter(
        outgoing.email,
        subject=f"Join {outgoing.organization} on IPCraft",
        greeting=f"You are invited to {outgoing.organization} on IPCraft. "
        "Open this link to join and sign in:",
        button="Join",
        note=f"It works once, until {rfc3339(outgoing.expires_at)}. After that, or to sign in "
        "again, ask for a link on the sign-in page. If you expected no invitation, you can "
        "ignore this mail.",
        link=link,
    )


def _letter(to: str, *, subject: str, greeting: str, button: str, note: str, link: str) -> Letter:
    return Letter(
        to=to,
        subject=subject,
        text=f"{' '.join(greeting.split())}\n\n{link}\n\n{note}\n",
        html=_HTML.format(
            greeting=escape(greeting), link=escape(link), button=escape(button), note=escape(note)
        ),
        link=link,
    )
