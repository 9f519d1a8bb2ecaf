"""Slash commands and buttons: plain functions, the table of them, and their texts."""
