"""The sessions table in memory, as strict as DynamoDB where it answers.

wire            DynamoDB's JSON protocol: requests, answers, error codes
stream          its changes, as Lambda delivers them
memory_table    the table: reads, conditional writes, transactions
sorted_places   the order of its items in the table and in each index
requests        what a request may hold
expressions     conditions, updates and key conditions
rows            one item, and its size
schema          keys and indexes, from the template
"""
