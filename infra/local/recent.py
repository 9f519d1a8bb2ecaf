"""The last records of something that goes on for ever, each with its number."""

import threading
from collections import deque
from itertools import islice
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# Far more than any scenario of the tour causes; an import of thousands of threads must not fill the memory.
MOST: Final = 10_000


class Recent(Generic[T]):
    """`count`: how many there were, also those that are forgotten."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: deque[T] = deque(maxlen=MOST)
        self._lock = threading.Lock()

    def add(self, record: T) -> None:
        with self._lock:
            self._kept.append(record)
            self.count += 1

    def since(self, number: int) -> list[T]:
        """The records from that number on, as far as they are kept."""
        return self.read(number)[0]

    def read(self, number: int) -> tuple[list[T], int]:
        """The records from that number on, and the number of the next one to come."""
        with self._lock:
            return list(islice(self._kept, max(0, number - self.count + len(self._kept)), None)), self.count
