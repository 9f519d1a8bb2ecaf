"""A process that opens one session many times at once, for the test of processes.

Started as a module with a name, a channel, a number and a name of its own, in a function's environment. It opens another
session first, so that the channel is known and all connections are made; prints a line, waits for a line, and prints
each answer: the thread's id, or the kind of the error.
"""

import asyncio
import sys

from handler import bootstrap
from handler.bootstrap import Environment
from handler.config import ApiConfig
from handler.errors import OnethreadError
from handler.runtime.deadline import Deadline, run_until
from handler.sessions.model import OpenRequest, Requester

SECONDS = 50.0  # as much as a worker has
TRIES = 3  # a program repeats what may be repeated: on a busy machine a call may time out


class Opener:
    """One environment, and what it was started with."""

    def __init__(self, environment: Environment[ApiConfig], channel: str, process: str) -> None:
        self._environment = environment
        self._channel = channel
        self._process = process

    async def open(self, name: str, nth: int = 0) -> str:
        environment = self._environment
        request = OpenRequest(
            name=environment.sessions.context.names.parse(name),
            parent_channel_id=self._channel,
            requester=Requester(owner=f"{self._process}-{nth}"),
        )
        deadline = Deadline.after(environment.clock.now(), SECONDS)
        for _ in range(TRIES):
            try:
                return (await run_until(environment.clock, deadline, environment.sessions.open(request))).thread_id
            except OnethreadError as error:
                failure = error
                if not error.retryable:
                    break
        return failure.kind

    async def open_at_once(self, name: str, number: int) -> list[str]:
        return await asyncio.gather(*(self.open(name, nth) for nth in range(number)))


def main() -> None:
    name, channel, number, process = sys.argv[1:]
    environment = bootstrap.build(ApiConfig)
    opener = Opener(environment, channel, process)
    environment.run(opener.open(f"not {name}"))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    answers = environment.run(opener.open_at_once(name, int(number)))
    sys.stdout.write("\n".join(answers) + "\n")
    environment.close()


if __name__ == "__main__":
    main()
