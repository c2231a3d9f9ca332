"""The sign-in over HTTP."""

from __future__ import annotations

from typing import Any

import falcon

from ipcraft.plugin import Application, Unauthenticated, operation
from ipcraft_accounts import MemberObject, member_object, sign_in
from ipcraft_ldap.admission import Admission
from ipcraft_ldap.directory import Directory
from ipcraft_ldap.schemas import NAME, Credentials, Settings


class SignInResource:
    """Answer ``/api/v1/auth/ldap``."""

    def __init__(self, app: Application) -> None:
        self._app = app
        settings = Settings.of(app)
        self._directory = Directory(settings)
        self._admission = Admission(app, settings)

    @operation(
        body=Credentials(),
        answers={200: MemberObject},
        errors={
            401: "The user name or the password is wrong.",
            402: "The organization's plan has no room for another user.",
            403: "The directory knows this person, and nobody has let them in.",
            429: "Somebody tried too often.",
        },
    )
    def on_post(self, req: falcon.Request, resp: falcon.Response, *, body: dict[str, Any]) -> None:
        """Begin a session of the person whose name and password these are."""
        person = self._directory.find(body["username"], body["password"])
        if person is None:
            # An unknown name and a wrong password get the same answer.
            raise Unauthenticated(
                "The user name or the password is wrong", code="wrong_credentials"
            )
        member = self._admission.admit(person)
        sign_in(self._app, req, resp, member=member, method=NAME)
        resp.media = member_object(member)
