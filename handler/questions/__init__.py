"""Questions: ask people in a session's thread, and get at most one answer, decided by a conditional write."""
