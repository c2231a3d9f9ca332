"""What plugin authors test with: an application of chosen plugins, a client, a fresh database.

Installed with IPCraft as a pytest plugin, its fixtures are there without an import:

``backend``        the storage a test runs on: once on SQLite, once on PostgreSQL
``database_url``   a fresh database with every built-in plugin's tables
``application``    the application of the plugins that are installed and enabled
``organization``   an organization in it, with clients that speak for it
``served``         one served process for the whole session

To test with a plugin that is not built in, make the application yourself:

>>> from ipcraft.testing import make_application, make_organization
>>> app = make_application(database_url, enable=["sparse"])  # doctest: +SKIP
>>> make_organization(app).client.get("/api/v1/subnets")  # doctest: +SKIP
"""

from __future__ import annotations

from ipcraft.testing.applications import make_application
from ipcraft.testing.clients import Client
from ipcraft.testing.databases import Databases
from ipcraft.testing.organizations import Organization, make_organization
from ipcraft.testing.serving import Org, Served

__all__ = [
    "Client",
    "Databases",
    "Org",
    "Organization",
    "Served",
    "make_application",
    "make_organization",
]
