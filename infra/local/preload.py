"""Importing this module imports what every execution environment needs, so that a cold start does not read it again.

The fork server imports it before it forks the first environment. A cold start is still a real one: a process of its own,
which imports the handler's module and builds its clients. Without this, fifty cold starts at once would measure how fast
this machine reads libraries.
"""

import gc
import importlib
import pkgutil
from typing import Final

import botocore.session

import handler
from handler.bootstrap import import_lazy_modules

# What the handlers import only when they build their clients.
IMPORTED_LATER: Final = ("botocore.config", "botocore.exceptions", "httpcore", "httpx", "encodings.utf_16_le")
CLIENTS: Final = ("dynamodb", "sqs", "ssm")


def _import_everything() -> None:
    modules = [module.name for module in pkgutil.walk_packages(handler.__path__, "handler.")]
    for name in (*modules, *IMPORTED_LATER):
        importlib.import_module(name)
    import_lazy_modules()


def _share_aws_models() -> None:
    """Let all sessions have one loader: by default each session reads a megabyte of JSON again."""
    loader = botocore.session.create_loader()
    botocore.session.create_loader = lambda *_: loader
    session = botocore.session.Session()
    session.set_credentials("made-up", "made-up")
    for name in CLIENTS:
        session.create_client(name, region_name="us-east-1").close()


_import_everything()
_share_aws_models()
gc.freeze()  # environments share these pages with the fork server as long as no garbage collection touches them
