"""What compressing came to in a run: every candidate beside the teacher, as it was measured there.

    modelworks run flows/projects/digits.yaml --json > digits.json
    python -m tests.benchmarks.compression_table digits.json [...] [--metric roc_auc]

Quality is that of the holdout where a candidate saw it, of validation rows elsewhere (marked v).
"""

import argparse
import json
from pathlib import Path
from typing import Any

HEADINGS = (
    "candidate", "quality", "kept", "p50 ms", "vs eager", "vs ONNX", "MB", "smaller", "RSS MB",
    "of eager's",
)  # fmt: skip


def rows_of(summary: dict[str, Any], metric: str) -> list[list[str]]:
    """A row for each candidate, the teacher first."""
    candidates = sorted(summary["candidates"], key=lambda each: each["role"] != "teacher")
    teacher = candidates[0]
    return [row_of(each, teacher, metric) for each in candidates]


def row_of(each: dict[str, Any], teacher: dict[str, Any], metric: str) -> list[str]:
    """Figures of one candidate, and their ratios to the teacher's."""
    split = "test" if f"test/{metric}" in each["metrics"] else "valid"
    quality = each["metrics"][f"{split}/{metric}"]
    p50, size, memory = each["latency_ms"]["p50"], each["size_bytes"], each["peak_memory_mb"]
    eager_ms, eager_mb = teacher["eager_p50_ms"], teacher["eager_memory_mb"]
    return [
        each["name"],
        f"{quality:.4f}{'' if split == 'test' else ' v'}",
        f"{quality / teacher['metrics'][f'{split}/{metric}']:.1%}",
        f"{p50:.3f}",
        f"{eager_ms / p50:.1f}x" if eager_ms else "",
        f"{teacher['latency_ms']['p50'] / p50:.1f}x",
        f"{size / 1e6:.3f}",
        f"{teacher['size_bytes'] / size:.1f}x",
        f"{memory:.0f}",
        f"{memory / eager_mb:.2f}" if eager_mb else "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("summaries", type=Path, nargs="+")
    parser.add_argument("--metric", default="macro_f1")
    asked = parser.parse_args()
    for path in asked.summaries:
        summary = json.loads(path.read_text(encoding="utf-8"))
        print(f"\n## {summary['project']}, {asked.metric}, chosen: {summary['selected']}\n")
        print(f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|")
        for row in rows_of(summary, asked.metric):
            print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
