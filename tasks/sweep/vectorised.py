"""Many trials of one architecture, trained together as one batched program.

Each member is what `tasks.training.loop.train` would make of its job alone: the same first weights,
rows, rates, dropout masks, clipping and decay, computed for all members by the same few operations,
so that a step of 64 small networks costs little more than a step of one. Sums are taken in another
order, so weights agree to rounding, not bit by bit; in bfloat16 to that precision. A training whose
rate is so high that it is chaotic magnifies that, as it would magnify any change of the last bit.
On CUDA masks are drawn on the CPU: there, dropout agrees in distribution alone.

A job trains in this process, whatever `compute.workers` says, as in `tasks.sweep.trial`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from tasks.sweep.crew import Crew
from tasks.sweep.member import Member
from tasks.training.device import use_allotted_threads
from tasks.training.job import TrainingJob

OnEpoch = Callable[[int, Mapping[int, float]], Collection[int]]
"""Given the epochs done and each live member's validation score, higher is better: who goes on.

Members are named by their place among the jobs. It hears of each member's last epoch too, after
which that member ends whatever it says.
"""


def train_together(jobs: Sequence[TrainingJob], on_epoch: OnEpoch) -> list[Member]:
    """Train all jobs, which `can_train_together`; what each member came to, in order of the jobs.

    After each epoch `on_epoch` says who goes on; the others' weights are dropped and cost nothing
    any more. A member that falls apart has a `trouble` and is not heard of again.
    """
    use_allotted_threads()
    crew = Crew(jobs)
    while crew.live:
        crew.run_epoch()
        scores = crew.end_epoch()
        chosen = on_epoch(crew.epochs_done, scores) if scores else ()
        going = [index for index in scores if index in chosen]
        crew.keep([index for index in going if not crew.members[index].is_over])
    return crew.members
