"""The table: its items, the clauses of its conditions, and how operations on it are put together. `handler.store` is the
one class that the protocol sees."""
