"""Imports of many modules at once."""

import gc
import importlib


def import_whole(module: str) -> None:
    """Import `module` and all that it brings, none of it looked through for garbage.

    What imports make stays. To look at it again each time that it has grown by a quarter takes a
    sixth of the CPU time of importing a flow, and later collections would look at it still.
    """
    gc.disable()
    try:
        importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()
