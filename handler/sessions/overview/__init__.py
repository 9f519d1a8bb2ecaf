"""Lists of a channel's sessions: what they show, and how a page is read."""
