"""The commands: their definitions, Discord's limits for them, and how they differ from what is registered."""
