"""How often each thing may happen in a scenario, and what of that is left in a world."""

from dataclasses import dataclass


class Violation(AssertionError):
    """Something that must hold at every point did not."""


@dataclass(frozen=True)
class Bounds:
    """How often each thing may happen. Moderators' acts are also bounded together, by `acts`.

    `second_thread`: Discord allows another thread from a message whose thread was deleted. `no_nonces`: their window is
    closed from the beginning. `foreign`: a session of that name is open from the beginning, and its thread alone may be
    renamed (`rename_to`) and deleted (`delete_foreign`). `old`: a person's archived thread of that name is there from the
    beginning; `hides_old`: in no list, because the channel was converted, so that only the search has it. `stale_search`:
    the search's index stops. `half_lists`: from then on each archived page is half a page. `lies`: a GET of a living thread
    is answered 404, once. `cancels`: a deadline cancels an actor, and what it has sent may land later. `lost_answers`: a
    write is made and its answer is lost. `delete_persons`: a thread that is not ours is deleted. `refusals`: Discord refuses a message or a thread. `not_imported`: nothing is
    known of the channel's past.
    """

    acts: int = 0
    delete_thread: int = 0
    delete_message: int = 0
    rename_to: str | None = None
    person_makes: str | None = None
    archive: int = 0
    lose_items: int = 0
    lies: int = 0
    nonce_closes: int = 0
    leases_end: int = 0
    cancels: int = 0
    second_thread: bool = False
    no_nonces: bool = False
    foreign: str | None = None
    delete_foreign: int = 0
    old: str | None = None
    hides_old: bool = False
    stale_search: int = 0
    half_lists: int = 0
    lost_answers: int = 0
    refusals: int = 0
    delete_persons: int = 0
    not_imported: bool = False


@dataclass(frozen=True)
class Left:
    """What of the bounds is left."""

    acts: int
    delete_thread: int
    delete_foreign: int
    delete_message: int
    rename: int
    person: int
    archive: int
    lose_items: int
    lies: int
    nonce_closes: int
    leases_end: int
    cancels: int
    stale_search: int
    half_lists: int
    lost_answers: int
    refusals: int
    delete_persons: int

    @classmethod
    def of(cls, bounds: Bounds) -> "Left":
        given = {name: getattr(bounds, name, 0) for name in cls.__dataclass_fields__}
        optional = {"rename": int(bounds.rename_to is not None), "person": int(bounds.person_makes is not None)}
        return cls(**{**given, **optional})

    def less(self, *names: str) -> "Left":
        return Left(**{n: getattr(self, n) - (n in names) for n in self.__dataclass_fields__})
