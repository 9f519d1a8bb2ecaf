"""All rules, and pytest's plugin that breaks one of them."""

import os
from collections.abc import Generator
from typing import Final

import pytest

from tests.rules.chosen_message import CHOICES
from tests.rules.closing import CLOSING
from tests.rules.event import PUBLISHED
from tests.rules.explorer import EXPLORED
from tests.rules.guild import GUILDS
from tests.rules.housekeeping import HOUSEKEEPING_RULES
from tests.rules.limit import LIMITS
from tests.rules.operations import OPERATIONS
from tests.rules.protocol import PROTOCOL
from tests.rules.question import QUESTIONS
from tests.rules.reading import READING
from tests.rules.reconciler import RECONCILER
from tests.rules.unanchored import UNANCHORED

VARIABLE: Final = "ONETHREAD_BROKEN_RULE"  # for the pytest that is to run with a rule broken: the rule's number

RULES: Final = (
    *PROTOCOL,
    *EXPLORED,
    *UNANCHORED,
    *RECONCILER,
    *GUILDS,
    *HOUSEKEEPING_RULES,
    *READING,
    *LIMITS,
    *CHOICES,
    *CLOSING,
    *QUESTIONS,
    *PUBLISHED,
    *OPERATIONS,
)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """As a plugin: run the tests with the rule broken."""
    with RULES[int(os.environ[VARIABLE])].mutation.applied():
        return (yield)
