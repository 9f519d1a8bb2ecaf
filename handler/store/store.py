"""The Store: every read and every conditional write of the protocol, over one seam, ``call(operation, **parameters)``.

Composed of one part for each kind of item. A write's condition is built from the named clauses of `clauses`. A lost race
is a normal result that carries the winner's item (`Write.won` is False), never an exception. A write of ours whose answer
was lost and that was repeated finds its own item in the way: that counts as won.
"""

from handler.aws.dynamodb import Call
from handler.store.channels import ChannelStore
from handler.store.claims import ClaimStore
from handler.store.deletions import DeletionStore
from handler.store.guilds import GuildStore
from handler.store.lease import LEASE_SECONDS
from handler.store.namesakes import NamesakeStore
from handler.store.pointers import PointerStore
from handler.store.sessions import SessionStore
from handler.store.table import Table


class Store:
    """The table. Raises StoreUnavailable when DynamoDB is out of reach; nothing else of DynamoDB's gets out.

    `sessions`: sessions and their threads. `claims`: who may make a session's thread now. `deletions`: sessions whose
    thread is to be deleted. `pointers`: whose a thread is. `namesakes`: threads that bear a name which is not theirs.
    `channels`: how far a channel's past is known. `guilds`: the guilds, and what is watched in each.
    """

    def __init__(self, *, call: Call, table: str, lease_seconds: float = LEASE_SECONDS) -> None:
        items = Table(call, table)
        self.sessions = SessionStore(items)
        self.claims = ClaimStore(items, lease_seconds)
        self.deletions = DeletionStore(items)
        self.pointers = PointerStore(items)
        self.namesakes = NamesakeStore(items)
        self.channels = ChannelStore(items)
        self.guilds = GuildStore(items)
