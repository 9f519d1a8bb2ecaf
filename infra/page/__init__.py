"""The page of the local stack: a Discord-like client of the simulated Discord, with the machine room beside it.

    server   serves it on loopback, in a thread of the stack's process
    app      its HTTP interface: JSON, and server-sent events for what happens (docs/page.md)
    feed     what happens, each record with its number
    world    what people see on Discord: servers, channels, threads, messages
    people   what people do: commands, buttons, forms, messages, a moderator's hands
    room     the machine room: invocations, their calls, the table's items, queues, events
    steps    which of the protocol's steps a change of an item is. Pure
    breaks   what goes wrong on purpose
    tour     the tour of the terminal, played on the page

What it shows is the traffic of the real handlers; nothing is made up for it.
"""
