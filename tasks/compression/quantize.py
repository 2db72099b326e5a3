"""The same graph in fewer bits: a bundle of its own."""

from pathlib import Path

from tasks.compression.config import QuantizeConfig
from tasks.compression.precisions import MIXING, Feeds, layers_of, prepared
from tasks.compression.sample import Columns, Sample
from tasks.compression.sensitivity import Bench, Kept, kept_layers
from tasks.packaging.bundle import GRAPH, encoder_files, note_export, read_facts, write_bundle
from tasks.packaging.predictor import Encoder, load_encoder


def quantize_bundle(source: Path, target: Path, form: QuantizeConfig, sample: Sample) -> str:
    """Fill `target` with the bundle in `source` in fewer bits; its digest.

    Whether anything is gained by it is another question: `gain.py`.
    """
    target.mkdir(parents=True, exist_ok=True)
    facts = read_facts(source)
    kept = quantize_graph(source / GRAPH, target / GRAPH, form, feeds_of(source, sample))
    if form.precision in MIXING:
        facts = facts.model_copy(update={"batch_rows": 1})
    digest = write_bundle(target, facts, encoder_files(source))
    note_export(target, {"quantized": _noted(form, kept)})
    return digest


def quantize_graph(
    source: Path, target: Path, form: QuantizeConfig, feeds: tuple[Feeds, Feeds]
) -> Kept:
    """Write the form of one graph; what of it stayed in float."""
    model = prepared(source, form.precision)
    bench = Bench(model, form, *feeds)
    kept = kept_layers(bench, layers_of(model, form.precision), form)
    bench.write(kept.layers, target)
    return kept


def feeds_of(bundle: Path, sample: Sample) -> tuple[Feeds, Feeds]:
    """What the bundle's graph is asked about the rows: those to scale by, those to choose by."""
    encoder = load_encoder(read_facts(bundle).encoder, bundle)
    return _one_by_one(encoder, sample.calibration), _one_by_one(encoder, sample.choosing)


def _one_by_one(encoder: Encoder, columns: Columns) -> Feeds:
    rows = encoder.rows(columns)
    return [encoder.batch(rows[index : index + 1]) for index in range(len(rows))]


def _noted(form: QuantizeConfig, kept: Kept) -> dict[str, object]:
    return {
        "precision": form.precision,
        "aware": form.aware is not None,
        "kept": kept.layers,
        "noise": kept.noise,
    }
