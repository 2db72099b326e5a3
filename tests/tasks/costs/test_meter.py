"""What a step uses: alone, beside another, and elsewhere."""

import subprocess
import sys
import time
from collections.abc import Callable
from threading import Barrier, Thread

import pytest

from tasks.costs.meter import (
    Meter,
    Stopwatch,
    Used,
    add,
    answer_of,
    measured,
    metered,
    used_so_far,
)

BUSY = "import time\nwhile time.process_time() < {}: pass"


def work(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_step_alone_has_all_that_its_process_used() -> None:
    before = time.process_time()
    with metered() as meter:
        work(0.2)
    assert 0.2 <= meter.used.cpu <= time.process_time() - before + 0.01


def test_processes_that_it_started_are_its_own() -> None:
    with metered() as meter:
        subprocess.run([sys.executable, "-c", BUSY.format(0.3)], check=True)
    assert 0.3 <= meter.used.cpu < 2


def test_two_at_a_time_divide_what_they_used_and_lose_nothing() -> None:
    meters: list[Meter] = []
    together = Barrier(2)

    def run(seconds: float) -> None:
        with metered() as meter:
            together.wait()
            work(seconds)
            together.wait()
        meters.append(meter)

    before = time.process_time()
    threads = [Thread(target=run, args=(seconds,)) for seconds in (0.1, 0.3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = [meter.used.cpu for meter in meters]
    assert 0.4 <= sum(used) <= time.process_time() - before + 0.01
    assert used[0] == pytest.approx(used[1], abs=0.05)


def test_what_happens_between_steps_is_nobodys() -> None:
    with metered():
        pass
    work(0.2)
    with metered() as meter:
        pass
    assert meter.used.cpu < 0.1


@pytest.fixture
def far() -> Callable[[float], str]:
    def worked(seconds: float) -> str:
        work(seconds)
        return "done"

    return worked


def test_what_a_worker_used_is_added_to_who_asked(far: Callable[[float], str]) -> None:
    answer, used = measured(far)(0.2)
    assert used.cpu >= 0.2
    with metered() as outer:
        assert answer_of((answer, used)) == "done"
    assert outer.used.cpu >= used.cpu
    assert answer_of((answer, used)) == "done", "who is no step asks for nothing"


def test_gpus_are_added_up() -> None:
    with metered() as meter:
        add(Used(gpu=2.0).times(3))
        add(Used(gpu=1.0))
    assert meter.used.gpu == 7


def test_a_stopwatch_goes_on_from_before_a_kill() -> None:
    watch = Stopwatch(Used(5.0, 1.0))
    work(0.1)
    assert watch.used.cpu >= 5.1
    assert watch.used.gpu == 1.0, "nothing computes on a GPU here"


def test_a_step_can_ask_what_it_has_used_so_far() -> None:
    assert used_so_far() == Used(), "who is no step has used nothing"
    with metered() as meter:
        add(Used(5.0, 2.0))
        work(0.1)
        found = used_so_far()
        assert found.cpu >= 5.1
        assert found.gpu == 2.0
    assert meter.used.cpu >= found.cpu
