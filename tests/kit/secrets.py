"""The secrets of the tests: all made up, and each bears a mark by which `tests.kit.shown_secrets` finds it wherever it turns up."""

from typing import Final

MARK: Final = "made-up"


def made_up(what: str) -> str:
    """A secret that says what it stands for."""
    return f"{MARK}-{what}"


BOT_TOKEN: Final = made_up("bot-token-for-tests")
INTERACTION_TOKEN: Final = made_up("interaction-token")

# In the forms that Discord gives them, by which they are known even where nobody has said that they are secret.
LIKE_A_BOT_TOKEN: Final = ".".join((made_up("x" * 16), "x" * 6, "x" * 38))
LIKE_AN_INTERACTION_TOKEN: Final = "aW50ZXJhY3Rpb246" + made_up("x" * 60)
