"""Find what is on record of a server or of a user, and remove it.

guild   all items of a server
user    the items of a user are removed; in the others, the user's id becomes 0
"""
