"""Projects of malformed inputs, refused in the process and by the command."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli.main import app, guarded
from flows.project_file import load_project
from tasks.data.prepare import prepare_rows

Asked = tuple[Mapping[str, str | bytes], Any]
"""Files of a project by name, and its `data`."""


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
def is_one_sentence(tmp_path: Path) -> Callable[[str, Asked, str], None]:
    """Passes where such a project is refused, from its file to the split of its rows, by this."""

    def check(kind: str, asked: Asked, sentence: str) -> None:
        with pytest.raises(ValueError, match=r".") as error:
            prepare_rows(load_project(written(tmp_path, kind, *asked)).data, tmp_path)
        assert sentence in str(error.value)
        assert "\n" not in str(error.value)

    return check


@pytest.fixture
def is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, Asked, str], None]:
    """Passes where the command ends as it does on bad input, with this in its words alone."""
    monkeypatch.delenv("MODELWORKS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    def check(kind: str, asked: Asked, sentence: str) -> None:
        words = ["run", str(written(tmp_path, kind, *asked)), "--json"]
        code = guarded(lambda: app(words, standalone_mode=False))
        said = capsys.readouterr()
        assert (code, said.out) == (2, "")
        assert sentence in " ".join(said.err.split())
        assert "Traceback" not in said.err

    return check
