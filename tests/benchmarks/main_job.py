"""Measure the bars of the main job: a run, the same again, and more seeds; write a dated page.

    .venv/bin/python tests/benchmarks/main_job.py [--seeds 7 8 9] [--home DIR] [--out FILE]

A run of its own home, so that nothing is cached; the services are started before the clock.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "flows/projects/sentiment.yaml"
COMMAND = (sys.executable, "-m", "flows.cli.main")
WORK = {"tune_model", "train_teacher", "label_rows", "train_student", "evaluate_candidate"}
"""Steps that are training, inference or sweep; the rest is the price of the platform."""


class PeakMemory(threading.Thread):
    """Samples resident bytes of one process, its children and Ray's workers."""

    def __init__(self, pid: int, home: Path) -> None:
        super().__init__(daemon=True)
        self.pid, self.home, self.peak, self.over = pid, home, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.5):
            self.peak = max(self.peak, sum(map(resident_bytes, self.processes())))

    def processes(self) -> list[psutil.Process]:
        try:
            own = psutil.Process(self.pid)
            family = [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []
        workers = [p for p in psutil.process_iter(["name"]) if is_worker_of(self.home, p)]
        return [*family, *workers]


def is_worker_of(home: Path, process: psutil.Process) -> bool:
    """Whether this is a busy worker of the Ray head in `home`: others may be on the machine."""
    try:
        named = "ray::" in (process.info["name"] or "") or "ray::" in "".join(process.cmdline()[:1])
        return named and process.environ().get("MODELWORKS_STACK") == str(home)
    except psutil.Error:
        return False


def resident_bytes(process: psutil.Process) -> int:
    """Unique and proportional share where the system tells it, so shared pages count once."""
    try:
        info = process.memory_full_info()
        return int(getattr(info, "pss", 0) or info.rss)
    except psutil.Error:
        return 0


def run(arguments: list[str], home: Path) -> tuple[dict[str, Any], float, int]:
    """Return the JSON of one `modelworks run`, wall seconds and peak bytes."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*COMMAND, "run", str(PROJECT), "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
        env={**os.environ, "MODELWORKS_HOME": str(home)},
        cwd=ROOT,
    )
    memory = PeakMemory(process.pid, home)
    memory.start()
    stdout, _ = process.communicate()
    memory.over.set()
    if process.returncode != 0:
        sys.exit(f"the run failed with exit code {process.returncode}")
    return json.loads(stdout), time.monotonic() - began, memory.peak


def figures(summary: dict[str, Any]) -> dict[str, float]:
    """Return the figures that have a bar."""
    by_name = {candidate["name"]: candidate for candidate in summary["candidates"]}
    teacher = next(c for c in by_name.values() if c["role"] == "teacher")
    chosen = by_name[summary["selected"]]
    controls = {
        c["name"].removesuffix("-control"): c for c in by_name.values() if c["role"] == "control"
    }
    found = {
        "teacher accuracy": teacher["metrics"]["test/accuracy"],
        "macro-F1 kept": chosen["metrics"]["test/macro_f1"] / teacher["metrics"]["test/macro_f1"],
        "bytes, times smaller": teacher["size_bytes"] / chosen["size_bytes"],
        "p50, times faster than eager fp32": teacher["eager_p50_ms"] / chosen["latency_ms"]["p50"],
    }
    for name, control in controls.items():
        gain = by_name[name]["metrics"]["valid/macro_f1"] - control["metrics"]["valid/macro_f1"]
        found[f"distilled minus control, {name} (valid macro-F1)"] = gain
    return found


def interval(values: list[float]) -> str:
    """Return mean and, from two values on, the 95 % interval by Student's t."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.4f}"
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:.4f} ± {half:.4f} (of {', '.join(f'{value:.4f}' for value in values)})"


def page(rows: list[tuple[str, str]], seeds: list[int]) -> str:
    """Return the dated page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT
    ).stdout.strip()
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [
        f"# Main job, {today}",
        "",
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, "
        f"commit {commit}, seeds {seeds}. `python tests/benchmarks/main_job.py`",
        "",
        "| figure | measured |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
    ]
    return "\n".join(lines) + "\n"


def first_run_rows(home: Path, seed: int) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the first summary, and the rows on time and memory."""
    summary, seconds, peak = run(of_seed(seed), home)
    busy = sum(step["seconds"] for step in summary["steps"])
    again, seconds_again, _ = run(of_seed(seed), home)
    assert {step["state"] for step in again["steps"]} == {"cached"}
    assert again["version"] == summary["version"]
    work = sum(step["seconds"] for step in summary["steps"] if step["name"] in WORK)
    return summary, [
        ("whole `run`, services up", f"{seconds / 60:.1f} min"),
        ("the same again", f"{seconds_again:.1f} s, every step cached, version unchanged"),
        (
            "steps that are not training, inference or sweep",
            f"{busy - work:.0f} s of {seconds:.0f}",
        ),
        ("peak memory of flow and Ray workers (PSS)", f"{peak / 2**30:.2f} GiB"),
        *((f"step {step['name']}", f"{step['seconds']:.1f} s") for step in summary["steps"]),
    ]


def of_seed(seed: int) -> list[str]:
    """Return the overrides that train everything with `seed`, on the same split."""
    chosen = [f"teacher.seed={seed}", f"students.0.seed={seed}", f"students.1.seed={seed}"]
    return [word for one in chosen for word in ("--set", one)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--home", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    home = (options.home or Path(tempfile.mkdtemp(prefix="mw-bench-"), ".modelworks")).resolve()
    environment = {**os.environ, "MODELWORKS_HOME": str(home)}
    subprocess.run([*COMMAND, "up"], check=True, env=environment, cwd=ROOT)
    try:
        summary, rows = first_run_rows(home, options.seeds[0])
        found = [figures(summary)]
        found += [figures(run(of_seed(seed), home)[0]) for seed in options.seeds[1:]]
    finally:
        subprocess.run([*COMMAND, "down"], check=True, env=environment, cwd=ROOT)
    rows = [(name, interval([one[name] for one in found])) for name in found[0]] + rows
    today = datetime.datetime.now(datetime.UTC).date()
    out = options.out or ROOT / f"tests/benchmarks/{today}_main_job.md"
    out.write_text(page(rows, options.seeds), encoding="utf-8")
    print(out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
