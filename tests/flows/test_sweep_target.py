"""What a project's `sweep.space` may name, and what each mistake is told."""

from pathlib import Path

import pytest

from flows.project_file import load_project
from flows.sweep_target import model_of, present_values, root_of, target_of

PROJECT = """
name: demo
data: {{source: "sklearn://digits", kind: image, target: digit, image: {{size: 8}}}}
students:
  - {{name: small, model: small_lenet, epochs: 3}}
  - {{name: shared, model: shared_kernel_cnn}}
sweep:
  space:
{space}
"""


def written(folder: Path, *lines: str) -> Path:
    path = folder / "demo.yaml"
    path.write_text(PROJECT.format(space="\n".join(f"    {line}" for line in lines)))
    return path


def refusal(folder: Path, *lines: str) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        load_project(written(folder, *lines))
    return str(caught.value)


def test_a_wrong_name_is_told_the_nearest(tmp_path: Path) -> None:
    said = refusal(tmp_path, "teacher.weight_decy: {log: [0.001, 0.1]}")
    assert "demo.yaml:9: teacher.weight_decy: unknown field, did you mean weight_decay?" in said


def test_a_bound_that_its_field_refuses_is_told(tmp_path: Path) -> None:
    said = refusal(tmp_path, "students.0.label_smoothing: {linear: [0, 1.5]}")
    assert said.startswith("demo.yaml:9: students.0.label_smoothing: ")
    assert "1.5" in said
    assert "\n" not in said


def test_a_choice_that_its_field_refuses_is_told(tmp_path: Path) -> None:
    said = refusal(tmp_path, "teacher.optimizer: {choice: [adamw, adamv]}")
    assert "adamv" in said
    assert "momentum" in said


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            ["teacher.lr: {log: [0.001, 0.1]}", "students.0.lr: {log: [0.001, 0.1]}"],
            "about students.0 and teacher: a sweep is about one model",
        ),
        (["students.2.lr: {log: [0.001, 0.1]}"], "there are students 0 to 1"),
        (["budget.size_mb: {linear: [1, 2]}"], "must be a field of teacher"),
        (["compress.distil.weight: {linear: [0, 1]}"], "name a student's field, too"),
        (
            ["teacher.lr: {log: [0.001, 0.1]}", "compress.distil.weight: {linear: [0, 1]}"],
            "compress.distil is about a student",
        ),
        (["teacher.lr: {log: [0.1, 0.001]}"], "lowest 0.1 must be below the highest 0.001"),
        (["teacher.lr: {lgo: [0.1, 1]}"], "unknown field, did you mean log?"),
        (["teacher.lr: [0.1, 1]"], "must be a section with the fields log, linear, integer"),
    ],
)
def test_what_is_no_sweep_is_refused(tmp_path: Path, lines: list[str], sentence: str) -> None:
    assert sentence in refusal(tmp_path, *lines)


def test_a_student_is_swept_with_what_teaches_it(tmp_path: Path) -> None:
    project = load_project(
        written(
            tmp_path,
            "students.0.lr: {log: [0.0001, 0.1]}",
            "students.0.epochs: {integer: [2, 9]}",
            "compress.distil.temperature: {linear: [1, 8]}",
        )
    )
    assert root_of(project) == "students.0"
    target = target_of(project, model_of(project, "students.0"), 0.003)
    present = present_values(project, 0.003)
    assert present == {
        "students.0.lr": 0.003,
        "students.0.epochs": 3,
        "compress.distil.temperature": 2.0,
    }
    tried = target.with_values({"students.0.epochs": 5, "compress.distil.temperature": 4.0})
    assert tried.model().epochs == 5
    assert tried.distil is not None
    assert tried.distil.temperature == 4.0
    assert target.model().epochs == 3


def test_a_condition_on_another_field_is_kept(tmp_path: Path) -> None:
    project = load_project(
        written(
            tmp_path,
            "teacher.optimizer: {choice: [adamw, momentum]}",
            "teacher.weight_decay: {log: [0.001, 0.1], when: {teacher.optimizer: [adamw]}}",
        )
    )
    assert project.sweep.space["teacher.weight_decay"].when == {"teacher.optimizer": ("adamw",)}


def test_a_project_without_a_space_has_no_sweep(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(PROJECT.format(space="    {}"))
    with pytest.raises(ValueError, match=r"sweep.space is empty: name what to vary"):
        root_of(load_project(path))
