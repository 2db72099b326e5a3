"""`modelworks init` and `modelworks schema`: the first project file, and what may stand in one."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import answer_json, out, say
from flows.project_file import load_project, project_schema
from tasks.data.guessing import Guess, guess_data

app = typer.Typer()

PLAIN = re.compile(r"(?!(?:true|false|null|yes|no|on|off)$)[a-z_/][a-z0-9_./-]*", re.IGNORECASE)
"""What YAML reads as a string without quotes, in any of its versions."""

TEMPLATE = """\
# Made by `modelworks init` from {file}: every line is a guess, and its comment says why.
# `modelworks schema` prints what else may stand here; `modelworks check {project_file}` the plan.
name: {name}  # of the file

data:
  source: {source}
  kind: {kind}  # {why[kind]}
{interactions}  inputs: [{inputs}]  # {why[inputs]}
{target}  task: {task}  # {why[task]}
  encoding: {encoding}  # {why[encoding]}
{max_rows}  split:
    # {why[split]}
    valid: {split.valid}
    test: {split.test}
{time}    group_by: {group_by}  # {why[group_by]}
  # What must hold before anything is trained; a breach stops the run, drift only warns:
  # checks:
  #   rows: 1000
  #   columns: {{{first_input}: {{missing: 0.05}}}}
  #   drift: 0.2
"""


@app.command()
def init(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSON Lines, Parquet, plain text, or a folder.")
    ],
    out_path: Annotated[
        Path | None, typer.Option("--out", help="The project file to write.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Write a project file for a file of labelled rows; what it guesses, it explains."""
    name = project_name(file)
    project_file = out_path or Path(f"{name}.yaml")
    check_free(project_file)
    guesses = {"name": Guess(name, "of the file"), **guess_data(file)}
    write_project(project_file, project_text(file, project_file, guesses))
    if as_json:
        answer_json({"project_file": str(project_file), "guesses": summary(guesses)})
        return
    for field, guess in summary(guesses).items():
        out.print(
            f"{field}: {shown(guess['value'])}  ({guess['why']})", markup=False, soft_wrap=True
        )
    say(f"wrote {project_file}; next: modelworks check {project_file}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a project file, for editors."""
    typer.echo(json.dumps(project_schema(), indent=1))


def project_name(file: Path) -> str:
    """A project name made from the name of the data file."""
    return re.sub(r"[^a-z0-9_-]+", "-", file.stem.lower()).strip("-_")[:63] or "project"


def check_free(project_file: Path) -> None:
    """Raise `ValueError` when the project file exists, or has no folder to lie in."""
    if project_file.exists() or project_file.is_symlink():
        raise ValueError(f"{project_file} exists and is never overwritten: name another by --out")
    if not project_file.absolute().parent.is_dir():
        raise ValueError(f"--out {project_file}: there is no folder {project_file.parent}")


def project_text(file: Path, project_file: Path, guesses: dict[str, Guess]) -> str:
    """The YAML of a project with a comment for each guess."""
    return TEMPLATE.format(
        file=one_line(file.name),
        project_file=one_line(project_file.name),
        name=quoted(guesses["name"].value),
        source=quoted(source_from(file.absolute(), project_file.absolute().parent)),
        kind=guesses["kind"].value,
        inputs=", ".join(map(quoted, guesses["inputs"].value)),
        target=target_line(guesses["target"]),
        interactions=interactions_line(guesses.get("interactions")),
        time=time_line(guesses.get("time")),
        max_rows=max_rows_line(guesses.get("max_rows")),
        task=guesses["task"].value,
        encoding=guesses["encoding"].value,
        split=guesses["split"].value,
        group_by=guesses["group_by"].value,
        first_input=quoted(guesses["inputs"].value[0]),
        why={field: one_line(guess.why) for field, guess in guesses.items()},
    )


def target_line(target: Guess) -> str:
    """The target with its reason; nothing where there is none."""
    if not target.value:
        return ""
    return f"  target: {quoted(target.value)}  # {one_line(target.why)}\n"


def interactions_line(who: Guess | None) -> str:
    """Who meets what, of rows that say so."""
    if who is None:
        return ""
    pair = ", ".join(f"{side}: {quoted(column)}" for side, column in who.value.items())
    return f"  interactions: {{{pair}}}  # {one_line(who.why)}\n"


def max_rows_line(most: Guess | None) -> str:
    """How many rows are kept; nothing where all are."""
    if most is None:
        return ""
    return f"  max_rows: {most.value}  # {one_line(most.why)}\n"


def time_line(time: Guess | None) -> str:
    """The column that says when, or why there is none; nothing where nobody asked."""
    if time is None:
        return ""
    if not time.value:
        return f"    # {one_line(time.why)}\n"
    return f"    time: {quoted(time.value)}  # {one_line(time.why)}\n"


def write_project(project_file: Path, text: str) -> None:
    """Write the file and read it back; nothing is left behind when either fails."""
    try:
        with project_file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError as error:
        raise ValueError(f"{project_file} exists and is never overwritten") from error
    except OSError as error:
        raise ValueError(f"--out {project_file}: {error.strerror}") from error
    try:
        load_project(project_file)
    except ValueError:
        project_file.unlink()
        raise


def summary(guesses: dict[str, Guess]) -> dict[str, dict[str, object]]:
    """The guesses as plain values."""
    split = guesses["split"]
    values = {name: guess.value for name, guess in guesses.items()}
    values |= {"inputs": list(values["inputs"])}
    values |= {"split": {"valid": split.value.valid, "test": split.value.test}}
    return {name: {"value": values[name], "why": guess.why} for name, guess in guesses.items()}


def source_from(file: Path, folder: Path) -> str:
    """The path to write down: relative when the file lies beside or below the project file."""
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)


def quoted(text: str) -> str:
    """A string as YAML, in quotes where it could be read as something else."""
    if PLAIN.fullmatch(text):
        return text
    # JSON's own escapes of what lies beyond 16 bits are two halves, which YAML reads as such.
    written = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)


def shown(value: object) -> str:
    """A value for people."""
    return value if isinstance(value, str) else json.dumps(value)


def one_line(text: str) -> str:
    """Text that cannot leave its comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
