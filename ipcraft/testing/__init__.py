"""What plugin authors test with: an application of chosen plugins, a client, a fresh database.

Installed with IPCraft as a pytest plugin, its fixtures are there without an import:

``backend``        the storage a test runs on: once on SQLite, once on PostgreSQL
``database_url``   a fresh database with every built-in plugin's tables
``application``    the application of the built-in plugins
``organization``   an organization in it, with clients that speak for it
``command``        `ipcraft` on that database, run in the test's own process
``served``         one served process for the whole session

To test a plugin that is not built in, give `application` in your own `conftest.py`;
`organization` is then one of it:

>>> @pytest.fixture  # doctest: +SKIP
... def application(database_url):
...     app = make_application(database_url, enable=["sparse"])
...     yield app
...     app.close()
>>> def test_gaps(organization):  # doctest: +SKIP
...     assert organization.client.get("/api/v1/subnets").status_code == 200
"""

from __future__ import annotations

from ipcraft.testing.applications import make_application
from ipcraft.testing.clients import Client
from ipcraft.testing.clocks import Clock
from ipcraft.testing.commands import Command
from ipcraft.testing.databases import Databases
from ipcraft.testing.events import take_events
from ipcraft.testing.organizations import Organization, make_organization, make_session
from ipcraft.testing.serving import Org, Served

__all__ = [
    "Client",
    "Clock",
    "Command",
    "Databases",
    "Org",
    "Organization",
    "Served",
    "make_application",
    "make_organization",
    "make_session",
    "take_events",
]
