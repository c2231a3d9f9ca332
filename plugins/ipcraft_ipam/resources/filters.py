"""What a query asks a list for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import falcon


def given_filters(req: falcon.Request, names: Iterable[str]) -> dict[str, Any]:
    """Give those of the parameters that the query has, as text; one without a value is empty."""
    return {name: req.get_param(name, default="") for name in names if name in req.params}
