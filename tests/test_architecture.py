"""The arrows of the house: who may import whom. Breaks with the file, the line and the rule."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"flows", "tasks", "models", "infra"}
HEAVY = {"torch", "ray", "mlflow", "boto3"}
ENTRY_POINTS = ("flows/cli/", "flows/serve.py")
DOORS = {
    "boto3": {"infra/storage.py"},
    "mlflow": {
        "infra/tracking.py",
        "infra/trial_runs.py",
        "infra/registry.py",
        "infra/pyfunc_model.py",
    },
}
PICKLES = {"pickle", "cloudpickle", "joblib", "dill", "shelve"}


def is_verb(path: str) -> bool:
    return path.startswith("tasks/") and path.count("/") == 1


def forbidden(path: str) -> set[str]:
    """Return the top-level packages that the file at `path` may not import."""
    if path.startswith("models/"):
        return (OURS - {"models"}) | {"prefect", "ray", "mlflow", "boto3"}
    if path.startswith("infra/"):
        prefect = set() if path == "infra/results.py" else {"prefect"}
        return (OURS - {"infra"}) | {"torch"} | prefect
    if path.startswith("flows/"):
        return HEAVY if path.startswith(ENTRY_POINTS) else HEAVY | {"infra", "models"}
    if is_verb(path):
        return HEAVY | {"flows", "models"}
    return {"prefect", "mlflow", "boto3", "infra", "flows"}


def imported(tree: ast.AST) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append((node.lineno, node.module or ""))
    return found


def violations(path: str, source: str) -> list[str]:
    """Return one line for each import at `path` that breaks a rule."""
    broken = []
    for line, module in imported(ast.parse(source)):
        top = module.split(".")[0]
        if top in forbidden(path):
            broken.append(f"{path}:{line}: may not import {module}")
        if top in DOORS and path.startswith("infra/") and path not in DOORS[top]:
            broken.append(f"{path}:{line}: {top} has one door: {sorted(DOORS[top])}")
        if top in PICKLES:
            broken.append(f"{path}:{line}: {top} unpickles, which no load path may")
        if path.startswith("tasks/packaging/predictor/") and top in OURS:
            broken.append(f"{path}:{line}: the predictor ships alone and imports nothing of ours")
    return broken


def sources() -> list[Path]:
    return [path for room in sorted(OURS) for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_one_way(path: Path) -> None:
    assert violations(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("models/planted.py", "import ray"),
        ("models/planted.py", "from tasks import artifacts"),
        ("tasks/data/planted.py", "import mlflow"),
        ("tasks/data/planted.py", "from infra.storage import Storage"),
        ("tasks/planted_step.py", "import torch"),
        ("tasks/planted_step.py", "from flows.project import Project"),
        ("flows/planted.py", "import boto3"),
        ("flows/planted.py", "from infra.settings import Settings"),
        ("infra/planted.py", "from tasks import artifacts"),
        ("infra/planted.py", "import boto3"),
        ("tasks/packaging/predictor/planted.py", "from tasks.artifacts import Split"),
        ("tasks/training/planted.py", "import pickle"),
    ],
)
def test_a_planted_violation_is_found(path: str, line: str) -> None:
    assert len(violations(path, f"\n{line}\n")) == 1


def test_functions_and_files_stay_short() -> None:
    long = []
    for path in sources():
        text = path.read_text(encoding="utf-8")
        name = str(path.relative_to(ROOT))
        if text.count("\n") > 300:
            long.append(f"{name}: {text.count(chr(10))} lines, at most 300")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 50:
                    long.append(f"{name}:{node.lineno}: {node.name} has {length} lines, at most 50")
    assert long == []
