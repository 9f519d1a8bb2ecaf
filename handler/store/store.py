"""The Store: every read and every conditional write of the protocol, over one seam, ``call(operation, **parameters)``.

It is composed of one part for each kind of item. Conditions are built from the named clauses of `clauses`. A lost race is
a normal result that carries the winner's item (`Write.won` is False), never an exception. A write that was repeated
because its answer was lost can find its own item in the way: that counts as won.
"""

from handler.aws.dynamodb import Call
from handler.store.activity import ActivityStore
from handler.store.cards import CardStore
from handler.store.channels import ChannelStore
from handler.store.choices import ChoiceStore
from handler.store.claims import ClaimStore
from handler.store.closes import CloseStore
from handler.store.deletions import DeletionStore
from handler.store.guilds import GuildStore
from handler.store.jobs import JobStore
from handler.store.members import MemberStore
from handler.store.namesakes import NamesakeStore
from handler.store.pointers import PointerStore
from handler.store.posts import PostStore
from handler.store.questions import QuestionStore
from handler.store.sessions import SessionStore
from handler.store.table import Table


class Store:
    """The table. Raises StoreUnavailable when DynamoDB is out of reach, and no other error of DynamoDB's."""

    def __init__(self, *, call: Call, table: str) -> None:
        items = Table(call, table)
        self.sessions = SessionStore(items)  # sessions and their threads
        self.activity = ActivityStore(items)  # sessions by their last activity, and by the beginning of their names
        self.claims = ClaimStore(items)  # who may make a session's thread now
        self.choices = ChoiceStore(items)  # what people choose for a session
        self.closes = CloseStore(items)  # closes that are under way
        self.cards = CardStore(items)  # what the message above a thread shows
        self.deletions = DeletionStore(items)  # threads that housekeeping deletes
        self.pointers = PointerStore(items)  # whose a thread is
        self.namesakes = NamesakeStore(items)  # threads that bear another session's name
        self.channels = ChannelStore(items)  # how far a channel's past is known
        self.jobs = JobStore(items)  # which message of a job may work on it
        self.guilds = GuildStore(items)  # the guilds, and what is watched in each
        self.posts = PostStore(items)  # which message a program's request has become
        self.questions = QuestionStore(items)  # what people are asked, and their answers
        self.members = MemberStore(items)  # how much each member has had created lately
