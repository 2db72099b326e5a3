"""Projects of malformed inputs, refused in the process and by the command."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli.main import app, guarded
from flows.project_file import load_project
from tasks.data.prepare import prepare_rows


def written(folder: Path, kind: str, files: Mapping[str, str | bytes], data: Any) -> Path:
    """A project file beside these files; what is None in `data` is left out."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    data = {"source": "rows.csv", "kind": kind, "target": "y", **data}
    data = {name: value for name, value in data.items() if value is not None}
    path = folder / "project.yaml"
    path.write_text(yaml.safe_dump({"name": "demo", "data": data}, sort_keys=False))
    return path


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """Why a project is refused, from its file to the split of its rows."""

    def refused(*asked: Any) -> str:
        with pytest.raises(ValueError, match=r".") as error:
            prepare_rows(load_project(written(tmp_path, *asked)).data, tmp_path)
        return str(error.value)

    return refused


@pytest.fixture
def called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Exit code, answer and words of the command that is given such a project."""
    monkeypatch.delenv("MODELWORKS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*asked: Any) -> tuple[int, str, str]:
        words = ["run", str(written(tmp_path, *asked)), "--json"]
        code = guarded(lambda: app(words, standalone_mode=False))
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return call
