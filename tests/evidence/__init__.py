"""`make evidence`: run what is claimed, and write docs/evidence.md.

claims     what is claimed, what is tried for it, and what that does not cover
measures   run it: each gives the numbers of that run, and whether it held
history    the faults that were found so far, each with the test that holds it now
page       the page, from all of this. Pure
"""
