"""Slash commands: plain functions, the table that names them, and every text that people read."""
