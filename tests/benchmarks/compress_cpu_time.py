"""CPU time of one call of the bundles that `compress_sentiment WORK shapes` left, in turn, one
thread: `python -m tests.benchmarks.compress_cpu_time WORK`. For a machine so busy that wall time
says nothing; caches that neighbours empty still count. Latency does not depend on what was learned.
"""

import sys
from pathlib import Path
from time import thread_time

import numpy as np
import torch

from tasks.evaluation.measure import Columns, single_rows
from tasks.evaluation.quality import latency_rows
from tasks.packaging.predictor import Predictor
from tasks.training.model_folder import load_model
from tests.benchmarks.compress_sentiment import SETTINGS, site_in

TURNS, WARM_UP = 3, 8


def main(work: Path) -> None:
    torch.set_num_threads(1)
    site = site_in(work)
    rows = single_rows(latency_rows(site.dataset_folder, site.dataset).columns)[::2]
    model, encoder, _ = load_model(work / "teacher")

    @torch.inference_mode()
    def eager(row: Columns) -> torch.Tensor:
        batch = encoder.batch(encoder.rows(row))
        return model(**{name: torch.from_numpy(value) for name, value in batch.items()}).softmax(-1)

    names = ["teacher", "teacher-int8", *(f"shape-{name}-int8" for name in SETTINGS)]
    bundles = {name: Predictor.load(work / "bundles" / name).probabilities for name in names}
    ways = {"teacher, eager torch": eager, **bundles}
    turns: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, answer in ways.items():
            seconds = []
            for row in [*rows[:WARM_UP], *rows]:
                start = thread_time()
                answer(row)
                seconds.append(thread_time() - start)
            turns[name].append(float(np.median(seconds[WARM_UP:])) * 1000)
    p50 = {name: float(np.median(found)) for name, found in turns.items()}
    slow, plain = p50["teacher, eager torch"], p50["teacher"]
    print("| bundle | CPU ms a call, p50 | against eager | against ONNX |\n|---|---|---|---|")
    for name, found in p50.items():
        print(f"| {name} | {found:.3f} | {slow / found:.1f}x | {plain / found:.1f}x |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
