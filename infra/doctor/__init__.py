"""Look at a deployment from end to end, change nothing, and say of each thing that is wrong what to do.

aws          the stack and what it consists of
discord      the application, its endpoint and its commands
servers      the bot's permissions where it is used, and when the reconciler last was there
permissions  what a member may do in a channel
examination  all of it, in order
"""
