"""Virtual time for tests: `infra.virtual_time`, which the benchmarks run in, too."""

from infra.virtual_time import START, LoopClock, VirtualLoop, parked, run

__all__ = ["START", "LoopClock", "VirtualLoop", "parked", "run"]
