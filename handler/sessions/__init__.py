"""The product: one thread for a session, always. Decisions are pure and kept apart from I/O."""
