"""The formats that are read without another plugin, those that are tried last first."""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft_interchange.formats.amazon import AMAZON
from ipcraft_interchange.formats.clouds import CLOUDS
from ipcraft_interchange.formats.generic import GENERIC
from ipcraft_interchange.formats.infoblox import INFOBLOX
from ipcraft_interchange.formats.netbox import NETBOX
from ipcraft_interchange.formats.own import OWN
from ipcraft_interchange.formats.phpipam import PHPIPAM
from ipcraft_interchange.importers import Importer

BUILT_IN: Sequence[Importer] = (
    *GENERIC,
    *CLOUDS,
    *AMAZON,
    *INFOBLOX,
    *PHPIPAM,
    *NETBOX,
    *OWN,
)
