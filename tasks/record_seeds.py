"""What the teacher is worth to its students, to MLflow."""

from collections.abc import Sequence

from infra import tracking
from tasks.artifacts import RunRef
from tasks.quality_artifacts import SeedGain
from tasks.step import step


@step()
def record_seeds(run: RunRef, gains: Sequence[SeedGain]) -> list[str]:
    """Write each gain and its interval to the parent run; what was said of them."""
    for each in gains:
        figures = {"gain": each.gain.value, "low": each.gain.low, "high": each.gain.high}
        named = {f"teacher/{each.name}/{name}": value for name, value in figures.items()}
        tracking.log_metrics(run.run_id, named)
        tracking.set_tags(run.run_id, {f"modelworks.teacher.{each.name}": str(each)})
    return [str(each) for each in gains]
