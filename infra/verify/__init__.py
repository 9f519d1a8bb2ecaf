"""Compare a live deployment's table, pointers and Discord, and change nothing.

read   what there is of a channel, in the table and on Discord
check  the invariants, pure
mend   the commands that mend what differs
"""
