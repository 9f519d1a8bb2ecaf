"""A simulated Discord: the part of its HTTP API that Onethread uses, as a pure function from request to response.

Entry points: `SimulatedDiscord`; `SimulatedTransport`, the same behind httpx; `DiscordServer`, the same behind a socket.

    transport, server    carry requests to SimulatedDiscord; server adds the control path
    control              play moderator from another process, by HTTP
    simulated_discord    SimulatedDiscord: requests, building, switches, copies
    people               what people and Discord's own timer do
    faults               what goes wrong on purpose
    router               the routes, and how a request finds its route
    interactions         the first answer to an interaction, and its original response
    routes/              what Discord answers, one module for each resource
    components           what Discord checks in buttons, selects, layouts and modals
    call                 one request with the state it meets; checks of body and query
    rate_limits          buckets, the global limit
    effects              what an action does to the state, whoever does it
    permissions          what the bot may do
    render               models as Discord's JSON
    state                all models by id, the indices over them, the switches
    forkable             a dictionary that is cheap to fork and to compare
    refusals             Discord's errors
    models               what Discord consists of: frozen dataclasses
    snowflakes           ids and times as Discord writes them
    exchange             a request and its outcome

Each module imports only those below it. Deliberately absent: anything of handler/, so that a wrong idea of Discord there is
not repeated here; clocks and random numbers, since `now` comes with each call and ids follow from it; the gateway connection
(WebSocket), voice, and everything else that Onethread does not use.
"""
