"""Finished texts that were rendered lately; the least recently shown go first."""

import hashlib
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence

CACHE_BYTES = 16 * 1024 * 1024  # room for a text of two megabytes, and for many of usual length


class BlockCache:
    """Thread-safe, and bounded by what its HTML takes in memory."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[str, ...]] = OrderedDict()
        self._size = 0

    def get(self, text: str, id_prefix: str) -> list[str] | None:
        key = _key(text, id_prefix)
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return list(found)

    def put(self, text: str, id_prefix: str, blocks: Sequence[str]) -> None:
        key, size = _key(text, id_prefix), _bytes(blocks)
        if size > self._limit:
            return  # it would take the place of all others, and then its own
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = tuple(blocks)
            self._size += size
            while self._size > self._limit:
                _, dropped = self._kept.popitem(last=False)
                self._size -= _bytes(dropped)

    @property
    def size(self) -> int:
        return self._size


def _key(text: str, id_prefix: str) -> bytes:
    return hashlib.sha256(f"{id_prefix}\0{text}".encode("utf-8", "surrogatepass")).digest()


def _bytes(blocks: Sequence[str]) -> int:
    return 200 + sum(map(sys.getsizeof, blocks))
