"""A simulated Discord: the part of its HTTP API that this project meets, as a pure function from request to response.

It knows nothing of the handlers, so that a wrong idea of Discord in them cannot hide behind the same wrong idea here. It
does no I/O, reads no clock and rolls no dice: `now` comes with each call, ids follow from it and from what was allotted before.

    exchange      requests, responses, what a connection may come to
    snowflakes    ids and times as Discord writes them
    models        what the world consists of: frozen records
    forkable      dictionaries that are cheap to fork and to compare
    state         the whole world: tables of records, and the indices over them
    refusals      Discord's errors
    permissions   who may do what
    effects       what an act does to the world, whoever does it
    render        records as Discord's JSON
    call          one request on its way through; reading of bodies and queries
    routes.…      the answers, by resource
    router        which path goes where
    rate_limits   buckets, the global limit
    faults        what goes wrong on purpose
    people        what people do
    interactions  Discord's side of a slash command
    simulated_discord  SimulatedDiscord: all of it together
    transport     the same behind httpx
    server, control the same behind a real socket
"""
