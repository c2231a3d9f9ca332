"""IPCraft: IP address management as a small core and plugins."""

from __future__ import annotations

__version__ = "0.1.0"
