"""How a language model goes on after the beginnings of a few texts: a page for people."""

from pathlib import Path

import numpy as np

from tasks.data.snapshot import Rows
from tasks.packaging.predictor import Predictor
from tasks.packaging.predictor.language import Sampling

SAMPLES, WORDS = 6, 8
TOKENS = 48


def write_samples(bundle: Path, rows: Rows, path: Path) -> Path:
    """Write the page: beginnings spread evenly over the rows, and what was drawn after each."""
    (texts,) = rows.columns.values()
    chosen = np.linspace(0, len(texts) - 1, min(SAMPLES, len(texts))).round().astype(np.int64)
    prompts = [" ".join(texts[row].split()[:WORDS]) for row in chosen]
    predictor = Predictor.load(bundle)
    asked = {"max_tokens": TOKENS}
    found = predictor.answer({predictor.inputs[0]: prompts}, asked)["continuation"]
    lines = [f"> **{one_line(a)}**{one_line(b)}" for a, b in zip(prompts, found, strict=True)]
    usual = Sampling(**asked)
    head = (
        f"The first {WORDS} words of some rows, and what may follow (temperature "
        f"{usual.temperature:g}, top_k {usual.top_k}, top_p {usual.top_p:g}, seed {usual.seed}):"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def one_line(text: str) -> str:
    """A text on one line of a page, its marks no markup."""
    return " ".join(text.replace("*", "").split(" ")).replace("\n", " / ")
