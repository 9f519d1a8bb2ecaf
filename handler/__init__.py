"""Onethread: one session name in a Discord channel has one thread, always. What Lambda runs; nothing else is packed."""
