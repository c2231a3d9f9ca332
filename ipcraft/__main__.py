"""The program ``ipcraft``, for ``python -m ipcraft``."""

from __future__ import annotations

from ipcraft.cli import main

main()
