"""The local stack: the whole of Onethread on one machine, around the real handlers. `make run`; see docs/local.md.

stack          everything together: start, close
template       what template.yaml says of functions, queues and what invokes what
table          the sessions table, from the template
aws            DynamoDB, SQS and SSM: moto, one request at a time, in a process of its own
aws_client     clients of it
discord/       the simulated Discord
observed       the same, with what it was asked, and how slow it is
functions      functions: pools of execution environments
environment    what runs inside an execution environment
preload        what all environments have imported already
loopback       a small HTTP server
gateway        HTTP to events: the HTTP API, and Lambda's own API
event_sources  queues and the schedule

people         who use commands, over HTTP
meter          what something cost, counted at the wires
screen         what the terminal shows
tour           the stage of the tour
tour_steps     its steps
crash          the one step that plays beside the others
ask            the client command for another terminal
running        how that finds the stack
"""
