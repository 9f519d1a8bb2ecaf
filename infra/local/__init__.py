"""The local stack: the whole of Onethread on one machine, around the real handlers. `make run`; see docs/local.md.

The stack:
    stack            starts and closes everything
    template         reads functions, queues and event sources in template.yaml
    aws              DynamoDB, SQS and SSM in a process of its own: the table is infra.table's
    roles            what each function may do, and what its requests need
    queues           SQS in it, by moto
    aws_client       boto3 clients of it
    discord          the simulated Discord over HTTP
    saved_discord    its state in a file
    folder           where table and Discord are remembered
    recent           the last of the requests that are recorded
    functions        functions: pools of execution environments
    environment      what runs inside an execution environment
    preload          what every environment has imported already
    gateway          HTTP to events: the HTTP API, and Lambda's own API
    event_sources    the queues and the schedule
    recursion        Lambda's guard against endless loops

The tour:
    scenarios        what it plays, in order
    tour             what the scenarios share
    crash_scenario   the one that plays at the same time as the others
    people           the users, and what they may do
    discord_client   users who send commands
    request_counter  what something cost, counted on the wire
    screen           the terminal
    channel_view     a channel as people see it
    picture          the picture in the README

Another terminal:
    client           commands for the running stack
    address_file     where the running stacks are
    http_client      requests to it
"""
