"""Onethread: one session name in a Discord channel has one thread, always. What Lambda runs; nothing else is packed."""

import gc
import os

__version__ = "0.1.0"  # the one place where it stands: nothing is installed as a package where Lambda runs

# INIT imports for the most part, which makes objects and hardly any garbage: the collector would take a tenth of its time.
# `bootstrap.prepare` turns it on again. Lambda and its emulator set this variable.
if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    gc.disable()
