"""The table: the items, every read, and every conditional write. One file for each kind of item."""
