"""Onethread: one session name in a Discord channel has one thread, always. What Lambda runs; nothing else is packed."""

__version__ = "0.1.0"  # the one place where it stands: nothing is installed as a package where Lambda runs
