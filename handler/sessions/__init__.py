"""The product: one thread for a session, always. Pure decisions apart from the modules with I/O."""
