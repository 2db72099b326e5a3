"""Olive and ONNX Runtime's own quantiser beside ours: the same teacher, rows, machine and run.

    python -m tests.benchmarks.olive_table PEERS/bin/python WORK [NAME ...] [--repeats 3]

WORK is that of `compress_sentiment`; its teacher is trained if need be, its trained settings NAME
stand in the table. How PEERS is made is said in `peer_olive.py`, which runs in it. The peers get
the teacher as transformers' own BertModel, the pattern that their optimiser knows, and the rows
that ours is calibrated by; what they make is put into a bundle of ours, so that tokeniser, session
and measurement are the same.
"""

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from models.pretrained import NAMES
from models.text_encoder import TextEncoder, mean_pool
from tasks.compression.quantize import feeds_of
from tasks.compression.sample import sample_of
from tasks.packaging.bundle import GRAPH, encoder_files, read_facts, write_bundle
from tasks.packaging.export import OPSET
from tasks.training.model_folder import load_model
from tests.benchmarks.compress_sentiment import bundles_of, site_in, table, teacher_in


class Bert(nn.Module):
    """The teacher as transformers has it: the same weights and answers in another graph."""

    def __init__(self, ours: TextEncoder) -> None:
        super().__init__()
        shape = ours.config
        config = BertConfig(
            vocab_size=shape.vocab_size,
            hidden_size=shape.width,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            intermediate_size=shape.feed_forward,
            max_position_embeddings=shape.max_positions,
            type_vocab_size=1,
            layer_norm_eps=shape.norm_eps,
            attn_implementation="eager",
        )
        self.bert, self.head = BertModel(config, add_pooling_layer=False), ours.head
        found = self.bert.load_state_dict(bert_weights(ours), strict=False)
        assert not found.unexpected_keys, found.unexpected_keys
        assert set(found.missing_keys) <= {"embeddings.position_ids", "embeddings.token_type_ids"}

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [B, C]."""
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: Tensor = self.head(mean_pool(hidden, attention_mask))
        return logits


def bert_weights(ours: TextEncoder) -> dict[str, Tensor]:
    """Our weights under BERT's names; the segment is in the positions already."""
    stored, names = ours.state_dict(), NAMES["bert"]
    weights = {
        "embeddings.word_embeddings.weight": stored["embeddings.words.weight"],
        "embeddings.position_embeddings.weight": stored["embeddings.positions.weight"],
        "embeddings.token_type_embeddings.weight": torch.zeros(1, ours.config.width),
        "embeddings.LayerNorm.weight": stored["embeddings.norm.weight"],
        "embeddings.LayerNorm.bias": stored["embeddings.norm.bias"],
    }
    for index in range(ours.config.layers):
        layer, source = names.layer.format(index), f"layers.{index}"
        for kind in ("weight", "bias"):
            parts = stored[f"{source}.attention.query_key_value.{kind}"].chunk(3)
            for name, part in zip(names.query_key_value, parts, strict=True):
                weights[f"{layer}{name}.{kind}"] = part
            for mine, theirs in names.parts.items():
                weights[f"{layer}{theirs}.{kind}"] = stored[f"{source}.{mine}.{kind}"]
    return weights


def handed_over(work: Path) -> Path:
    """A folder with what the peers start from: the graph and the calibration rows."""
    folder, site = work / "peers", site_in(work)
    folder.mkdir(exist_ok=True)
    model, encoder, _ = load_model(teacher_in(work))
    assert isinstance(model, TextEncoder)
    plain = bundles_of(work, "teacher")[0]
    calibration, _ = feeds_of(plain, sample_of(site.dataset_folder, site.dataset))
    rows = {
        f"{name}/{at}": cells for at, row in enumerate(calibration) for name, cells in row.items()
    }
    np.savez(folder / "calibration.npz", **rows)  # type: ignore[arg-type]
    batch = {name: torch.from_numpy(cells) for name, cells in calibration[0].items()}
    with torch.inference_mode():
        theirs, mine = Bert(model).eval()(**batch), model(**batch)
        assert torch.allclose(theirs, mine, atol=1e-4), (theirs - mine).abs().max()
        torch.onnx.export(
            Bert(model).eval(),
            (),
            str(folder / "hf.onnx"),
            kwargs=batch,
            dynamo=False,
            input_names=list(encoder.names),
            output_names=["logits"],
            dynamic_axes={name: {0: "rows", 1: "tokens"} for name in encoder.names}
            | {"logits": {0: "rows"}},
            opset_version=OPSET,
        )
    return folder


def bundled(work: Path, graph: Path) -> str:
    """Put a peer's graph into a bundle as ours of the teacher; its name."""
    plain, target = work / "bundles" / "teacher", work / "bundles" / graph.stem
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copyfile(graph, target / GRAPH)
    facts = read_facts(plain)
    if "static" not in graph.stem and "fused" not in graph.stem and graph.stem != "hf":
        facts = facts.model_copy(update={"batch_rows": 1})  # dynamic scales are a whole batch's
    write_bundle(target, facts, encoder_files(plain))
    return graph.stem


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    folder = handed_over(asked.work)
    script = Path(__file__).with_name("peer_olive.py")
    subprocess.run([asked.python, script, folder], check=True, cwd=folder)
    told: dict[str, Any] = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    print(json.dumps(told, indent=1), flush=True)
    made = [name for name, seconds in told.items() if isinstance(seconds, float)]
    peers = [bundled(asked.work, folder / f"{name}.onnx") for name in ["hf", *made]]
    table(
        asked.work,
        ["teacher", *asked.names],
        asked.repeats,
        [asked.work / "bundles" / n for n in peers],
    )


if __name__ == "__main__":
    main()
