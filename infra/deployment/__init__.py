"""A deployment as the programs reach it with which its operator looks after it: setup, doctor, verify, forget and others.

deployed      which deployment is meant, and what is read of it: its stack, its variables, the bot's token
saved         what samconfig.toml keeps of it
account       the AWS account, and what it refuses, in words
discord_api   Discord's API for a person who waits
on_record     what the table's indices say of servers
walk          the whole table, slowly
program       what a program meets outside of itself, and how it says what went wrong
report        what a program prints, line by line
errors        what ends a program, and what to do about it
"""
