"""The end of a service: at the latest with the block it was started for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Ending(ABC):
    """Be closed when a ``with`` block ends, however it does."""

    @abstractmethod
    def close(self) -> None:
        """Stop, and leave nothing behind."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
