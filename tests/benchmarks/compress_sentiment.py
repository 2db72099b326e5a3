"""Trained models pruned, factorised and recovered, on the project `sentiment`, without services.

`python -m tests.benchmarks.compress_sentiment WORK train [NAME ...]` trains what the named settings
need into the folder WORK and keeps it; `... WORK table [NAME ...]` exports, quantises and measures
them beside the teacher, in one go, on validation rows; `... WORK holdout NAME ...` looks at the
holdout for the chosen ones. Settings are SETTINGS below. `... WORK importance` prunes the teacher
by each measure and asks it at once, not recovered; `... WORK shapes` tells the bytes of every
setting's shape, which need no training either.
"""

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from flows.project_file import load_project
from tasks.artifacts import DatasetRef
from tasks.compression.config import PruneConfig, QuantizeConfig, RecoverConfig
from tasks.compression.distil_config import DistilConfig
from tasks.compression.pruning import pruned
from tasks.compression.quantize import quantize_bundle
from tasks.compression.sample import sample_of
from tasks.data.snapshot import split_rows
from tasks.evaluation.isolation import answers, cost_figures, eager_figures, latency_figures
from tasks.evaluation.metrics import quality_of
from tasks.evaluation.quality import latency_rows
from tasks.packaging.answers import load_answers, save_answers
from tasks.packaging.bundle import bundle_bytes
from tasks.packaging.export import export_bundle
from tasks.training.answers import logits_of
from tasks.training.blueprint import Blueprint, first_model, open_encoder
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.course import Setting
from tasks.training.device import choose_device
from tasks.training.examples import encode
from tasks.training.model_folder import card_of, load_model, save_model, trained_blueprint
from tasks.training.recipes import Lesson, Site, recovery_job, teacher_job
from tests.benchmarks.movies_seeds import PROJECTS
from tests.in_process import snapshot, taught

PROJECT = load_project(PROJECTS / "sentiment.yaml")
ALONE = ComputeConfig(workers=1, device="cpu", precision="auto")
ANSWERS = f"train-{PROJECT.teacher.seed}"
"""What the teacher says of the training rows; `sentiment_students` reads and keeps it there too."""
HALF = {"heads": 0.5, "neurons": 0.5, "min_count": 3}


def setting(lr: float, epochs: int, **parts: Any) -> PruneConfig:
    """What goes, and how the rest recovers."""
    return PruneConfig(**parts, recover=RecoverConfig(lr=lr, epochs=epochs))


FEW_ROWS = 300
FORMS = {
    "-int8": QuantizeConfig(precision="int8"),
    "-int8-int4": QuantizeConfig(precision="int8-int4"),
}
SETTINGS: dict[str, PruneConfig] = {
    "half": setting(1.5e-4, 2, **HALF),
    "four": setting(2e-4, 2, layers=0.34, **HALF),
    "two-quarter": setting(4e-4, 4, layers=0.67, heads=0.75, neurons=0.75, min_count=8),
    "two-narrow": setting(4e-4, 4, layers=0.67, width=0.5, **HALF),
    "one": setting(4e-4, 4, layers=0.84, neurons=0.5, min_count=8),
}


def site_in(work: Path) -> Site:
    """The project's rows, prepared once."""
    data, about = work / "data", work / "dataset.json"
    if not about.exists():
        dataset = snapshot(PROJECT.data, PROJECTS, data, PROJECT.name)
        about.write_text(dataset.model_dump_json(), encoding="utf-8")
    dataset = DatasetRef.model_validate_json(about.read_text(encoding="utf-8"))
    return Site(dataset=dataset, dataset_folder=data, compute=ALONE)


def teacher_in(work: Path) -> Path:
    """The teacher's folder, trained once."""
    folder = work / "teacher"
    if not folder.exists():
        config = PROJECT.teacher
        assert isinstance(config, TrainConfig)
        job = teacher_job(config, config.usual_lr, site_in(work))
        taught(job, folder, choose_device(ALONE))
    return folder


def answers_in(work: Path) -> None:
    """What the teacher says of the training rows."""
    if (work / ANSWERS).exists():
        return
    site = site_in(work)
    rows = len(split_rows(site.dataset_folder, site.dataset, "train"))
    said = np.zeros((rows, len(site.dataset.classes)), np.float32)
    parts = [np.arange(rows)[0::2], np.arange(rows)[1::2]]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for part, found in zip(parts, pool.map(said_of, [work] * 2, parts), strict=True):
            said[part] = found
    save_answers(work / ANSWERS, said)


def said_of(work: Path, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    """The teacher's logits of these training rows."""
    torch.set_num_threads(1)
    site = site_in(work)
    model, encoder, _ = load_model(work / "teacher")
    rows = split_rows(site.dataset_folder, site.dataset, "train").take(ids)
    examples = encode(encoder, rows.columns, rows.labels)
    return logits_of(model, encoder, examples, Setting(choose_device(ALONE)))


def lesson_in(work: Path) -> Lesson:
    """The teacher's answers."""
    return Lesson(DistilConfig(temperature=2, weight=0.8), load_answers(work / ANSWERS))


def made(work: Path, name: str, is_taught: bool) -> float:
    """Train one setting, or its control on labels alone, into its folder; seconds that it took."""
    torch.set_num_threads(1)
    begin, prune = perf_counter(), SETTINGS[name]
    target = work / (name if is_taught else f"{name}-control")
    if target.exists():
        return 0.0
    site, lesson = site_in(work), lesson_in(work) if is_taught else None
    whole = trained_blueprint(work / "teacher")
    assert isinstance(PROJECT.teacher, TrainConfig)
    config, blueprint = prune.recovering(PROJECT.teacher), whole
    with tempfile.TemporaryDirectory() as rounds:
        for number in range(1, prune.rounds + 1):
            job = recovery_job(config, lesson, site, blueprint)
            smaller = pruned(job, prune, number, whole)
            job = recovery_job(config, lesson, site, smaller)
            folder = target if number == prune.rounds else Path(rounds, str(number))
            blueprint = trained_blueprint(taught(job, folder, choose_device(ALONE)))
    return perf_counter() - begin


def bundles_of(work: Path, name: str) -> list[Path]:
    """The float bundle and those of fewer bits, made if need be."""
    site = site_in(work)
    plain, *small = (work / "bundles" / f"{name}{form}" for form in ("", *FORMS))
    if not plain.exists():
        valid = split_rows(site.dataset_folder, site.dataset, "valid").columns
        export_bundle(work / name, plain, site.dataset.target, valid)
        sample = sample_of(site.dataset_folder, site.dataset)
        for form, folder in zip(FORMS.values(), small, strict=True):
            quantize_bundle(plain, folder, form, sample)
    return [plain, *small]


def macro_f1(bundle: Path, site: Site, split: str) -> float:
    """Of the exported bundle."""
    rows = split_rows(site.dataset_folder, site.dataset, split)  # type: ignore[arg-type]
    found = answers(bundle, rows.columns)
    return quality_of(found, rows.labels, site.dataset.classes)["macro_f1"]


def table(work: Path, names: list[str], repeats: int = 3, others: Sequence[Path] = ()) -> None:
    """Figures on validation rows, of `others` too; costs in turn, the median of the turns."""
    site = site_in(work)
    columns = latency_rows(site.dataset_folder, site.dataset).columns
    bundles = [*(bundle for name in names for bundle in bundles_of(work, name)), *others]
    turns = [costs_in_turn(work / "teacher", bundles, columns) for _ in range(repeats)]
    cost = {
        name: {figure: float(np.median([turn[name][figure] for turn in turns])) for figure in about}
        for name, about in turns[0].items()
    }
    eager, onnx = cost["eager"]["p50"], cost["teacher"]["p50"]
    whole, quality = bundle_bytes(work / "bundles" / "teacher"), {}
    print(f"teacher in eager torch: p50 {eager:.2f} ms, {cost['eager']['peak_memory_mb']:.0f} MB\n")
    print(
        "| bundle | valid macro-F1 | kept | p50 ms | vs eager | vs ONNX | MB | smaller | RSS MB |"
    )
    print("|---" * 9 + "|")
    for bundle in bundles:
        quality[bundle.name] = macro_f1(bundle, site, "valid")
        p50, size = cost[bundle.name]["p50"], bundle_bytes(bundle)
        cells = [
            bundle.name,
            f"{quality[bundle.name]:.4f}",
            f"{quality[bundle.name] / quality['teacher']:.1%}",
            f"{p50:.3f}",
            f"{eager / p50:.1f}x",
            f"{onnx / p50:.1f}x",
            f"{size / 1e6:.2f}",
            f"{whole / size:.1f}x",
            f"{cost[bundle.name]['peak_memory_mb']:.0f}",
        ]
        print(f"| {' | '.join(cells)} |")


def costs_in_turn(
    teacher: Path, bundles: list[Path], columns: dict[str, list[Any]]
) -> dict[str, dict[str, float]]:
    """Latency and memory of the eager teacher and of each bundle."""
    eager = eager_figures(teacher, columns)
    timed = latency_figures(bundles, columns)
    about = {
        bundle.name: cost_figures(bundle, columns) | {"p50": figures["p50"]}
        for bundle, figures in zip(bundles, timed, strict=True)
    }
    return {"eager": {"p50": eager["p50_ms"], "peak_memory_mb": eager["memory_mb"]}, **about}


def unrecovered(work: Path, prune: PruneConfig) -> Blueprint:
    """The teacher right after pruning."""
    whole = trained_blueprint(work / "teacher")
    assert isinstance(PROJECT.teacher, TrainConfig)
    config = PROJECT.teacher.model_copy(update={"max_rows": None})
    return pruned(recovery_job(config, None, site_in(work), whole), prune, 1, whole)


def importance(work: Path) -> None:
    """Macro-F1 of the torch model on a few validation rows, by what was taken for unimportant."""
    site = site_in(work)
    rows = split_rows(site.dataset_folder, site.dataset, "valid")
    rows = rows.take(np.linspace(0, len(rows) - 1, FEW_ROWS).round().astype(np.int64))
    print("| heads and neurons removed | taylor | magnitude | activation |\n|---|---|---|---|")
    for share in (0.25, 0.5):
        found = []
        for measure in ("taylor", "magnitude", "activation"):
            prune = PruneConfig(heads=share, neurons=share, importance=measure, rows=200)
            blueprint = unrecovered(work, prune)
            encoder = open_encoder(blueprint)
            examples = encode(encoder, rows.columns, rows.labels)
            setting = Setting(choose_device(ALONE))
            logits = logits_of(first_model(blueprint, 0), encoder, examples, setting)
            likely = torch.softmax(torch.from_numpy(logits), 1).numpy()
            found.append(quality_of(likely, rows.labels, site.dataset.classes)["macro_f1"])
        print(f"| {share:.0%} | {' | '.join(f'{score:.3f}' for score in found)} |", flush=True)


def shapes(work: Path) -> None:
    """Bytes of the bundles of each setting's shape, which no training changes."""
    site = site_in(work)
    whole = bundle_bytes(bundles_of(work, "teacher")[0])
    print(f"the teacher has {whole} bytes\n\n| shape | MB | smaller |\n|---|---|---|")
    for name, prune in SETTINGS.items():
        blueprint = unrecovered(work, prune.model_copy(update={"importance": "magnitude"}))
        model, folder = first_model(blueprint, 0), work / f"shape-{name}"
        card = card_of(model, blueprint, site.dataset.classes)
        save_model(folder, model.state_dict(), card, blueprint.files, [])
        for bundle in bundles_of(work, folder.name):
            size = bundle_bytes(bundle)
            print(f"| {bundle.name} | {size / 1e6:.2f} | {whole / size:.1f}x |", flush=True)


def holdout(work: Path, names: list[str]) -> None:
    """Macro-F1 of every bundle of these on the holdout."""
    site = site_in(work)
    bundles = [bundle for name in names for bundle in bundles_of(work, name)]
    found = {bundle.name: macro_f1(bundle, site, "test") for bundle in bundles}
    print("| bundle | holdout macro-F1 | kept |\n|---|---|---|")
    for name, score in found.items():
        print(f"| {name} | {score:.4f} | {score / found['teacher']:.1%} |")


def trained(work: Path, names: list[str], controls: list[str]) -> None:
    """Train what is asked for, two at a time."""
    torch.set_num_threads(2)
    teacher_in(work)
    answers_in(work)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        calls = [(name, True) for name in names] + [(name, False) for name in controls]
        futures = {call: pool.submit(made, work, *call) for call in calls}
        for (name, is_taught), future in futures.items():
            print(f"{name}{'' if is_taught else '-control'}: {future.result():.0f} s", flush=True)


ALONE_COMMANDS = {"importance": importance, "shapes": shapes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("what", choices=["train", "table", "holdout", *ALONE_COMMANDS])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--controls", nargs="*", default=[])
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.what == "train":
        trained(asked.work, asked.names, asked.controls)
    elif asked.what == "table":
        table(asked.work, ["teacher", *asked.names])
    elif asked.what == "holdout":
        holdout(asked.work, ["teacher", *asked.names])
    else:
        ALONE_COMMANDS[asked.what](asked.work)


if __name__ == "__main__":
    main()
