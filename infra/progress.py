"""One way to say how far a long step is: a log record that the command line renders."""

import logging

LOGGER_NAME = "modelworks.progress"


def report(step: str, done: float, total: float, message: str = "") -> None:
    """Log that `done` of `total` units of `step` are finished; never fails, never waits."""
    text = f"{step}: {message}" if message else f"{step}: {done:g} of {total:g}"
    fields = {"step": step, "done": done, "total": total, "note": message}
    logging.getLogger(LOGGER_NAME).info(text, extra=fields)


def warn(step: str, sentence: str) -> None:
    """Log what a person should know, though the step goes on."""
    fields = {"step": step, "done": 0, "total": 0, "note": sentence}
    logging.getLogger(LOGGER_NAME).warning("%s: %s", step, sentence, extra=fields)
