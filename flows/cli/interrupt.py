"""Ctrl-C and SIGTERM: either ends the command in the same tidy way, and none gets lost."""

import os
import signal
import sys
from threading import Timer

AGAIN_AFTER_SECONDS = 0.05


def heed() -> None:
    """Answer SIGTERM, too, by `KeyboardInterrupt`.

    `modelworks stop` sends it: a background job of a shell ignores SIGINT.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.unraisablehook = _insist


def _insist(unraisable: "sys.UnraisableHookArgs") -> None:
    """Interrupt again where the first fell into a callback that Python does not let raise."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        Timer(AGAIN_AFTER_SECONDS, os.kill, (os.getpid(), signal.SIGTERM)).start()
    else:
        sys.__unraisablehook__(unraisable)
