"""The explorer: the real protocol code, stepped through its schedules.

loop       an event loop that only runs what is ready; time stands still unless the search moves it
execution  one live execution of the real code: what it asks, and what it is answered
actor      one opener as a tree of nodes: what it was answered so far → what it asks next
world      the table, the simulated Discord, the time, and what other people may still do (`bounds`, `events`)
places     every world that a search meets, once, with what each call makes of it
commuting  which schedules need not be explored, because they differ from others in nothing
search     all schedules within the bounds, or random ones; what must hold at each point of each
scenarios  the bounds that are explored, by name
timeline   a schedule as people read it
without    rules taken out of the code, and the fault that is found then
task       one scenario in a process of its own: `python -m tests.explorer` shares them out
"""
