"""Opening a session: reuse its thread, adopt one that is there, or create it. `handler.sessions.protocol` is the loop."""
