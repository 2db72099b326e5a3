"""One real stack for the whole session, in a home of its own.

Ray and Prefect read their settings when they are imported, so the environment points at the home
before any test module is: run these tests apart from the others, `pytest tests/stack`.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import stack as services
from infra.environment import environment
from infra.home import record_file, record_home
from infra.stack.ports import free_block

NAMED = os.environ.get("MODELWORKS_TEST_HOME")


def _recorded_home() -> Path:
    home = Path(NAMED or tempfile.mkdtemp(prefix="mw-test-")) / ("" if NAMED else ".modelworks")
    if not record_file(home).exists():
        record_home(home, free_block(home))
    return home


HOME = _recorded_home()
os.environ.update(environment(HOME))


@pytest.fixture(scope="session")
def stack() -> Iterator[Path]:
    """The home of a running stack; the environment points every client there.

    `MODELWORKS_TEST_HOME` names a home to use instead, which then stays up.
    """
    services.start(HOME, print)
    try:
        yield HOME
    finally:
        import ray  # reads settings when it is imported

        ray.shutdown()  # whoever is connected when the head goes is ended
        if not NAMED:
            services.stop(HOME)


def pytest_unconfigure() -> None:
    """Leave nothing behind, also when no test wanted the stack."""
    if not NAMED:
        shutil.rmtree(HOME.parent, ignore_errors=True)
