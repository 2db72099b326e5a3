"""Who acts, for the ledger."""

import getpass
import os


def actor() -> str:
    """MODELWORKS_ACTOR, else the user of the operating system."""
    named = os.environ.get("MODELWORKS_ACTOR", "").strip()
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
