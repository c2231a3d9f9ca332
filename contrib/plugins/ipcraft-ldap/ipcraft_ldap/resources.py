"""The sign-in over HTTP."""

from __future__ import annotations

import falcon

from ipcraft.plugin import Application, Unauthenticated, load
from ipcraft_accounts import member_object, sign_in
from ipcraft_ldap.admission import Admission
from ipcraft_ldap.directory import Directory
from ipcraft_ldap.schemas import NAME, Credentials, Settings

_CREDENTIALS = Credentials()


class SignInResource:
    """Answer ``/api/v1/auth/ldap``."""

    def __init__(self, app: Application) -> None:
        self._app = app
        settings = Settings.of(app)
        self._directory = Directory(settings)
        self._admission = Admission(app, settings)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Begin a session of the person whose name and password these are."""
        given = load(req, _CREDENTIALS)
        person = self._directory.find(given["username"], given["password"])
        if person is None:
            # An unknown name and a wrong password get the same answer.
            raise Unauthenticated(
                "The user name or the password is wrong", code="wrong_credentials"
            )
        member = self._admission.admit(person)
        sign_in(self._app, req, resp, member=member, method=NAME)
        resp.media = member_object(member)
