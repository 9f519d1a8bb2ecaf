"""Open a session: reuse its thread, adopt one that exists, or create it. `handler.sessions.protocol` has the loop.

What makes a second thread impossible is in `create._record`.
"""
