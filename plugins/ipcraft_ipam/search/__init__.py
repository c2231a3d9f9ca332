"""Finding subnets, addresses and what they are in by whatever somebody knows of them."""

from __future__ import annotations

from ipcraft_ipam.search.answers import DEFAULT_LIMIT, MOST, FoundObject, answer
from ipcraft_ipam.search.grammar import Term, parse

__all__ = ["DEFAULT_LIMIT", "MOST", "FoundObject", "Term", "answer", "parse"]
