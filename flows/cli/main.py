"""The `modelworks` command: what people type, and what they are told when it goes wrong."""

import errno
import os
import sys
from collections.abc import Callable

import typer
from typer.exceptions import TyperException

from flows.cli import check, init, ops, predict, rate, run, runs, schedule, stack, sweep
from flows.cli.console import say
from flows.cli.interrupt import heed
from infra.stack import StackError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    help="Retrain, shrink, prove, promote, and go back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in (run, check, init, rate, sweep, runs, ops, predict, schedule, stack):
    app.add_typer(group.app)


def main() -> None:
    """Run the command line and leave with its exit code."""
    heed()
    code = guarded(lambda: app(standalone_mode=False))
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of a step that was interrupted may still wait for Ray: nothing of theirs is kept.
    os._exit(code)


def guarded(command: Callable[[], object]) -> int:
    """Return the exit code of `command`; every foreseeable failure is told in one sentence."""
    answer: object = DONE
    try:
        answer = command()
    except TyperException as error:
        say(f"error: {error.format_message()}")
        return BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        answer = INTERRUPTED
    except ValueError as error:
        say(f"error: {error}")
        return BAD_INPUT
    except Exception as error:
        say(f"error: {explained(error)}")
        return FAILED
    if answer == INTERRUPTED:  # what Typer, too, makes of Ctrl-C
        say("interrupted; the same command goes on from the last finished step")
    return answer if isinstance(answer, int) else DONE


def explained(error: Exception) -> str:
    """Return one sentence about a failure, with the command that helps."""
    if isinstance(error, StackError):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"no space left on the disk of {error.filename or 'the home'}: free some, run again"
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return f"{first_line} (`modelworks doctor` checks the services, `modelworks logs` the runs)"


if __name__ == "__main__":
    main()
