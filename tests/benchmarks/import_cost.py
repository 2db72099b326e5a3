"""CPU seconds before anything is done, of two checkouts side by side.

`python -m tests.benchmarks.import_cost BEFORE AFTER`, both the root of a checkout.
"""

import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median

ROUNDS = 5
DIGESTS = """
from pathlib import Path
from tasks.code_digest import code_digest
for verb in sorted(path.stem for path in Path("tasks").glob("*.py")):
    if verb != "__init__":
        code_digest(f"tasks.{verb}")
"""
CASES = {
    "every command": "import flows.cli.main",
    "the process of a run": "import flows.cli.main, flows.cli.watch",
    "a worker that trains": "import tasks.training.recipes",
    "code digests of all steps": DIGESTS,
}


def cpu_seconds(root: Path, code: str) -> float:
    """Of a fresh process that runs `code`."""
    before = getrusage(RUSAGE_CHILDREN)
    environment = os.environ | {"PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=environment)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main(before: Path, after: Path) -> None:
    print("| | before | after | ratio |\n|---|---|---|---|")
    for name, code in CASES.items():
        found: dict[Path, list[float]] = {before: [], after: []}
        for number in range(ROUNDS + 1):  # the first fills the caches and does not count
            for root in (before, after) if number % 2 else (after, before):
                found[root].append(cpu_seconds(root, code))
        old, new = (median(seconds[1:]) for seconds in found.values())
        print(f"| {name} | {old:.2f} | {new:.2f} | {new / old:.2f} |", flush=True)


if __name__ == "__main__":
    main(*(Path(word).resolve() for word in sys.argv[1:3]))
