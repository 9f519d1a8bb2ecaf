"""A session's thread on Discord: search for it, compare it with the record, end its generation, delete it."""
