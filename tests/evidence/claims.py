"""What is claimed, what is tried for it, and what that does not cover. A new claim is a row here."""

from dataclasses import dataclass
from typing import Final

from tests.evidence.measures import Measure, of_explorer, of_rules, of_tests, of_tour


@dataclass(frozen=True)
class Claim:
    """`tried` has a place for each number of its measure. `command` repeats it."""

    claim: str
    tried: str
    not_covered: str
    command: str
    measure: Measure


def _tests(*paths: str) -> str:
    return "python -m pytest " + " ".join(f"tests/{path}" for path in paths)


CLAIMS: Final = (
    Claim(
        "No schedule of openers, the reconciler, people and deaths makes a second thread, and from every state a newcomer gets the one",
        "{scenarios} scenarios of two actors and what people do, every order of their calls: {states} states; {unfinished} scenarios "
        "were not finished in the time",
        "More than three openers at once; schedules beyond the bounds of a scenario (one lie or two, one lost answer, one refusal); Discord "
        "behaving otherwise than its documentation and the simulator",
        "make explore",
        of_explorer,
    ),
    Claim(
        "Each call that fails, in each way, leaves one thread, and every answer on the way makes sense",
        "each call of each act with each fault (lost, refused, late, applied with its answer lost, broken, limited): {tests} tests",
        "Two faults of different kinds in one open, beside those that the explorer and random histories happen upon",
        _tests("exactly_once/test_faults.py"),
        of_tests(
            "exactly_once/test_faults.py",
            short=["exactly_once/test_faults.py::test_one_thread_remains_with_boto3_and_moto_too"],
        ),
    ),
    Claim(
        "A process that dies right after any call leaves one thread for the next opener",
        "a death after each call, then another opener, in processes and in the middle of real ones: {tests} tests",
        "A death of the whole region; DynamoDB losing a write that it has confirmed",
        _tests("exactly_once/test_deaths.py", "exactly_once/test_processes.py"),
        of_tests(
            "exactly_once/test_deaths.py", "exactly_once/test_processes.py", short=["exactly_once/test_deaths.py"]
        ),
    ),
    Claim(
        "Many at once get one thread, and all get its link",
        "up to a hundred openers with real latencies and with the calls in chosen orders: {tests} tests",
        "Thousands at once: Discord's limit of 50 requests a second binds before",
        _tests("exactly_once/test_concurrency.py", "exactly_once/test_races.py"),
        of_tests("exactly_once/test_concurrency.py", "exactly_once/test_races.py"),
    ),
    Claim(
        "In forums, private threads and on people's messages there is one thread, too, or the extra ones are closed",
        "attempts, deaths and unknown outcomes of posts, private threads and chosen messages: {tests} tests",
        "Discord's POST of a post is not repeatable: after an unknown outcome a second post can exist for a moment",
        _tests("exactly_once/test_unanchored.py", "exactly_once/test_chosen_message.py", "scenarios/test_posts.py"),
        of_tests(
            "exactly_once/test_unanchored.py",
            "exactly_once/test_chosen_message.py",
            "scenarios/test_posts.py",
            short=["scenarios/test_posts.py"],
        ),
    ),
    Claim(
        "The reconciler brings the table to what Discord says, and loses no link and no message",
        "random histories of people, openers and runs, with faults and deaths in between: {tests} tests",
        "Histories longer than some dozens of steps; more than a few thousand threads in one history",
        _tests("reconciler"),
        of_tests("reconciler", short=["reconciler/test_anything.py"]),
    ),
    Claim(
        "A question has one answer, everywhere the same, and an event is published at least once",
        "fifty presses at once, answers against expiry and cancel, lost answers, deaths; the publisher dying after each call: {tests} tests",
        "A person who edits a reply after it was taken as the answer",
        _tests("handler/questions", "handler/test_publisher.py"),
        of_tests("handler/questions", "handler/test_publisher.py", short=["handler/test_publisher.py"]),
    ),
    Claim(
        "The whole works over real sockets, in real processes",
        "the tour: {scenes} scenes with {checks} checks, each function in processes of its own, one of them killed",
        "AWS itself: DynamoDB, SQS and Lambda are stood in for",
        "make run < /dev/null",
        of_tour,
    ),
    Claim(
        "Each rule of the protocol and the reconciler is held by a test",
        "each rule broken in the real code: {noticed} of {rules} were noticed by the test that is named for it",
        "Rules that nobody has written down",
        "make mutate",
        of_rules,
    ),
)
