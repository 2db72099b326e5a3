"""AutoGluon on a table, distilled too: run in an environment of its own.

    python -m venv PEERS; PEERS/bin/pip install torch==2.13.0 \\
        'autogluon.tabular[lightgbm,catboost,xgboost,fastai]==1.6.3'
    PEERS/bin/python peer_autogluon.py fit FOLDER [SECONDS]
    OMP_NUM_THREADS=1 PEERS/bin/python peer_autogluon.py ask FOLDER MODEL

FOLDER holds `train.parquet`, `valid.parquet`, `test.parquet` with the columns of the inputs and
`label`. `fit` leaves `told.json`, a line for each model, and `answers.npz`, what each says of the
holdout; `ask` prints the p50 (ms) of one row's probability on one thread and the process' memory.
`autogluon_table.py` calls both, measures ours beside them, and shares no code with this.
"""

import json
import resource
import shutil
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from autogluon.tabular import TabularPredictor

ASKED = 300
STUDENTS = {"GBM": {}, "CAT": {}, "NN_TORCH": {}}


def fit(folder: Path, seconds: float) -> None:
    """The default set of models, then students of the best of them, half of the time each."""
    train, valid, test = (
        pd.read_parquet(folder / f"{n}.parquet") for n in ("train", "valid", "test")
    )
    begin = perf_counter()
    predictor = TabularPredictor("label", eval_metric="roc_auc", path=str(folder / "models"))
    predictor.fit(
        train, tuning_data=valid, time_limit=seconds, presets="medium_quality", num_cpus=2
    )
    fitted = perf_counter() - begin
    students = predictor.distill(time_limit=seconds, hyperparameters=STUDENTS)
    distilled = perf_counter() - begin - fitted
    names = predictor.model_names()
    positive = predictor.class_labels[-1]
    said = {name: predictor.predict_proba(test, model=name)[positive].to_numpy() for name in names}
    np.savez(folder / "answers.npz", **said)
    told = {"fit_s": fitted, "distil_s": distilled, "best": predictor.model_best}
    told["models"] = {
        name: {"student": name in students, "bytes": size_of(predictor, folder, name)}
        for name in names
    }
    (folder / "told.json").write_text(json.dumps(told, indent=1))


def size_of(predictor: Any, folder: Path, name: str) -> int:
    """Bytes of all that one model needs to answer."""
    path = folder / "deployed" / name
    shutil.rmtree(path, ignore_errors=True)
    predictor.clone_for_deployment(str(path), model=name)
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def ask(folder: Path, name: str) -> None:
    """One row after the other, as a service would be asked."""
    predictor = TabularPredictor.load(str(folder / "deployed" / name))
    predictor.persist()
    test = pd.read_parquet(folder / "test.parquet").drop(columns="label").head(ASKED)
    rows, taken = [test.iloc[[at]] for at in range(len(test))], []
    for row in rows[:30]:
        predictor.predict_proba(row, model=name)
    for row in rows:
        begin = perf_counter()
        predictor.predict_proba(row, model=name)
        taken.append(perf_counter() - begin)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"p50": float(np.median(taken)) * 1000, "memory": memory}))


if __name__ == "__main__":
    if sys.argv[1] == "fit":
        fit(Path(sys.argv[2]).resolve(), float(sys.argv[3]) if sys.argv[3:] else 300.0)
    else:
        ask(Path(sys.argv[2]).resolve(), sys.argv[3])
