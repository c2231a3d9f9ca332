"""Windows of time in a fixed block of memory: how many requests each key has sent in its own."""

from __future__ import annotations

import fcntl
import os
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from mmap import mmap

SETS = 8192
"""Groups of places; a key has its place in one of them."""

WAYS = 8
"""Places in a group. When more keys than this are active in one, the one that ends first goes."""

_DIGEST = 16
_PLACE = struct.Struct(f"={_DIGEST}sdd")
"""A key's digest, the end of its window, and the requests in it."""
_SET = struct.Struct("=" + f"{_DIGEST}sdd" * WAYS)


class Windows:
    """Count requests in windows, 65,536 keys at most.

    PERF: 2 MB, of which the system gives what is touched; a count costs about 6 us. A dict would
    cost 2 us, but other processes could not count in it.
    """

    __slots__ = ("_file", "_guard", "_memory")

    def __init__(self, *, shared: bool = False) -> None:
        self._memory = mmap(-1, SETS * _SET.size)
        self._guard = threading.Lock()
        self._file = _unnamed_file() if shared else None

    def count(self, key: str, *, clock: Callable[[], float], seconds: int) -> tuple[int, float]:
        """Count a request; give how many the key's window has now, and the seconds to its end.

        A window that ends later than one begun now would is of a clock that was set back since:
        it is over. So the time is read where nobody else counts: else who read it first and
        counts later would take the window that another began meanwhile for one of those.
        """
        digest = blake2b(key.encode(), digest_size=_DIGEST).digest()
        start = int.from_bytes(digest[:4], "big") % SETS * _SET.size
        with self._alone():
            now = clock()
            way, used, end = self._find(start, digest)
            if not now < end <= now + seconds:
                used, end = 0, now + seconds
            used += 1
            _PLACE.pack_into(self._memory, start + way * _PLACE.size, digest, end, used)
        return used, end - now

    def _find(self, start: int, digest: bytes) -> tuple[int, int, float]:
        """Give the key's place, or the one of its set that ends first, empty."""
        places = _SET.unpack_from(self._memory, start)
        digests, ends = places[0::3], places[1::3]
        if digest in digests:
            way = digests.index(digest)
            return way, int(places[way * 3 + 2]), ends[way]
        return ends.index(min(ends)), 0, 0.0

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads out and, where the memory is shared, other processes.

        The system opens a file's lock when the process that holds it dies.
        """
        with self._guard:
            if self._file is None:
                yield
                return
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def _unnamed_file() -> int:
    descriptor, path = tempfile.mkstemp(prefix="ipcraft-rate-limits-")
    os.unlink(path)
    return descriptor
