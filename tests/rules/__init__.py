"""What must hold: each rule with a change of the code that breaks it, and the test that must fail then. `make mutate` runs them.

protocol, unanchored, chosen_message    docs/protocol.md
explorer                                what of it the explorer alone must notice
reconciler, guild, housekeeping         docs/reconciler.md, and housekeeping
question, event, closing                docs/questions.md, docs/events.md, and closes
limit, reading, operations              bounds, reads of the table, and what is counted

rule      what a rule is, and how the code is changed while tests run
every     all rules, and pytest's plugin that breaks one
"""
