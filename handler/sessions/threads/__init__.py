"""A session's thread on Discord: looking for it, comparing it with the record, and the end of a generation."""
