"""Which code does a step run? A digest over its module and all that it imports of ours."""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOMS = ("tasks", "models")
NUMERIC = (
    "torch",
    "numpy",
    "scikit-learn",
    "skl2onnx",
    "scipy",
    "onnxruntime",
    "onnx",
    "tokenizers",
    "pyarrow",
    "pillow",
)
"""Distributions whose version can change a result."""


@cache
def code_digest(module: str) -> str:
    """Return the sha256 of `module`, its imports in `ROOMS`, and the numeric libraries."""
    digest = hashlib.sha256()
    for name in sorted(reachable_modules(module)):
        digest.update(f"{name}={_source_digest(name)}".encode())
    for library in NUMERIC:
        digest.update(f"{library}={_installed_version(library)}".encode())
    return digest.hexdigest()


def reachable_modules(module: str) -> set[str]:
    """Return `module` and every module of `ROOMS` that it imports, however deep."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_imports(name))
    return found


@cache
def _source_digest(module: str) -> str:
    """Each is read once a process: the steps of a run reach the same two hundred."""
    return hashlib.sha256(_source_path(module).read_bytes()).hexdigest()


@cache
def _imports(module: str) -> tuple[str, ...]:
    path = _source_path(module)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = _absolute(node, package)
            names += [parent, *(f"{parent}.{alias.name}" for alias in node.names)]
    return tuple(name for name in names if name.split(".")[0] in ROOMS and _is_module(name))


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements, however deep. No expression imports, and most of a file is expressions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            yield node
            yield from _statements(node)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if node.level == 0:
        return node.module or ""
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _is_module(name: str) -> bool:
    return _find_source(name) is not None


def _source_path(module: str) -> Path:
    path = _find_source(module)
    assert path is not None, f"{module} has no source file"
    return path


@cache
def _find_source(module: str) -> Path | None:
    """Return the file of `module` without importing it, or None for a name inside a module."""
    room, *rest = module.split(".")
    spec = importlib.util.find_spec(room)
    if spec is None or spec.origin is None:
        return None
    stem = Path(spec.origin).parent.joinpath(*rest)
    candidates = (stem / "__init__.py", stem.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


@cache
def _installed_version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "absent"
