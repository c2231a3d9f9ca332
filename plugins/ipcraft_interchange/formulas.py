"""Cells that a spreadsheet would run: kept from it on the way out, restored on the way in.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_QUOTE = "'"
_MARKED = (*_RUN, _QUOTE)


def neutralized(value: str | None) -> str:
    """Write a cell so that no spreadsheet runs it, and an empty text apart from none.

    >>> neutralized("=1+1"), neutralized("web-01"), neutralized(""), neutralized(None)
    ("'=1+1", 'web-01', "'", '')
    """
    if value is None:
        return ""
    return _QUOTE + value if not value or value.startswith(_MARKED) else value


def restored(cell: str) -> str | None:
    """Read a cell that `neutralized` wrote.

    >>> restored("'=1+1"), restored("web-01"), restored("'"), restored("")
    ('=1+1', 'web-01', '', None)
    """
    if not cell:
        return None
    if cell[0] == _QUOTE and (len(cell) == 1 or cell[1:].startswith(_MARKED)):
        return cell[1:]
    return cell
