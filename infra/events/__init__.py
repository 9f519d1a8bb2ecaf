"""Freshly signed events for functions that run by hand, and the environment that points them at the local stack."""
