"""What every command does first: find the home, say which it is, reach its services."""

import os
from pathlib import Path

from flows.cli.console import say
from infra import stack
from infra.environment import environment, find_home

HOME_NAME = ".modelworks"


def existing_home() -> Path:
    """Return the home that this folder belongs to; `ValueError` when there is none."""
    home = find_home()
    if home is None:
        raise ValueError(
            f"no {HOME_NAME} folder here or above, and MODELWORKS_HOME is not set: "
            "`modelworks up` makes one"
        )
    return home


def home_for(project_file: Path) -> Path:
    """Return the home, made beside the project file when there is none."""
    home = find_home()
    if home is None:
        home = project_file.resolve().parent / HOME_NAME
        say(f"home  {home} (new)")
    else:
        say(f"home  {home}")
    return home


def reach(home: Path, *, start: bool = False) -> None:
    """Point this process at the services of `home`, started first when `start` says so.

    Prefect reads its settings when it is imported: not before this. Raises `stack.StackError` when
    they do not answer.
    """
    if not stack.is_up(home):
        if not start:
            raise stack.StackError(f"no services answer at {home}: `modelworks up` starts them")
        stack.start(home, lambda line: say(f"  {line}"))
    os.environ.update(environment(home))
    # Leave the terminal to our progress; Prefect's records still go to its server.
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
