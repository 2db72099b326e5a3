"""What a project's `sweep.space` may name, and what each mistake is told."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.plan import draw_plan
from flows.project_file import load_project
from flows.sweep_target import (
    asked_for,
    choice_of,
    kept_fixed,
    learner_of,
    model_of,
    present_values,
    root_of,
    scheduled,
    target_of,
    with_values,
)
from tasks.artifacts import DatasetRef, RunRef
from tasks.compression.config import CompressConfig, PruneConfig, QuantizeConfig, RecoverConfig
from tasks.sweep.picking import Pick
from tasks.sweep.target import Subject
from tasks.sweep_artifacts import STOPPED, Confirmed, Searched, SettingsTrial

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


def refusal(folder: Path, *lines: str, overrides: Sequence[str] = ()) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        load_project(written(folder, *lines), overrides)
    return str(caught.value)


def test_a_wrong_name_is_told_the_nearest(tmp_path: Path) -> None:
    said = refusal(tmp_path, "teacher.weight_decy: {log: [0.001, 0.1]}")
    assert "demo.yaml:9: teacher.weight_decy: unknown field, did you mean weight_decay?" in said


def test_a_setting_that_nothing_reads_is_told_with_its_place(tmp_path: Path) -> None:
    reason = "read by optimizer momentum and nesterov"
    space = "students.0.epochs: {integer: [2, 3]}"
    said = refusal(tmp_path, space, overrides=["students.0.momentum=0.5"])
    assert said == (
        f"--set students.0.momentum=0.5: students.0.momentum: {reason} alone, not by adamw; leave "
        "it out"
    )
    said = refusal(tmp_path, "students.0.momentum: {linear: [0, 0.9]}")
    assert said.startswith(f"demo.yaml:9: students.0.momentum: {reason} alone")


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
        (["compress.distil.weight: {linear: [0, 1]}"], "name a field of a model, too"),
        (["compute.precision: {choice: [float32]}"], "name a field of a model, too"),
        (["compute.workers: {integer: [1, 2]}"], "it says where trainings run"),
        (["compress.quantize: {choice: [int8, none]}"], "both are measured in every run"),
        (["compress.prune.0.neurons: {linear: [0, 0.9]}"], "there is no pruning in compress.prune"),
        (["compress.distil.made_rows: {integer: [0, 4]}"], "answers that were given once"),
        (["evaluate.calibrate: {choice: [none, temperature]}"], "all trials would score alike"),
        (["data.split.valid: {linear: [0.1, 0.2]}"], "scores on other rows could not be"),
        (["sweep.search.seed: {integer: [1, 2]}"], "does not vary how it searches"),
        (["wrong.name: {integer: [1, 2]}"], "wrong.name: must be a field of teacher"),
        (
            ["teacher.lr: {log: [0.001, 0.1]}", "compress.distil.weight: {linear: [0, 1]}"],
            "compress.distil.weight is about a student",
        ),
        (["teacher.lr: {log: [0.1, 0.001]}"], "lowest 0.1 must be below the highest 0.001"),
        (["teacher.lr: {lgo: [0.1, 1]}"], "unknown field, did you mean log?"),
        (["teacher.lr: [0.1, 1]"], "must be a section with the fields log, linear, integer"),
    ],
)
def test_what_is_no_sweep_is_refused(tmp_path: Path, lines: list[str], sentence: str) -> None:
    assert sentence in refusal(tmp_path, *lines)


@pytest.mark.parametrize("root", ["teacher", "students.0"])
def test_a_model_that_is_fitted_in_one_go_is_refused(tmp_path: Path, root: str) -> None:
    fitted = "{model: sklearn, name: forest, estimator: ensemble.ExtraTreesClassifier}"
    space = f"{root}.params.max_leaf_nodes: {{integer: [15, 255]}}"
    at = "teacher=" if root == "teacher" else "students=["
    said = refusal(tmp_path, space, overrides=[f"{at}{fitted}{'' if at[-1] == '=' else ']'}"])
    assert "demo.yaml:9: teacher.params.max_leaf_nodes: " in said.replace(root, "teacher")
    assert "ensemble.ExtraTreesClassifier of scikit-learn is fitted in one go" in said
    assert "\n" not in said


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


def test_a_list_is_a_choice_where_its_field_takes_it(tmp_path: Path) -> None:
    space = "students.0.filters: {choice: [[12, 24], [24, 48]]}"
    project = load_project(written(tmp_path, space))
    assert present_values(project, 0.004) == {"students.0.filters": "[24,48]"}, "tried first"
    taken = with_values(project, {"students.0.filters": "[12,24]"})
    assert taken.model_dump()["students"][0]["filters"] == (12, 24)
    said = refusal(tmp_path, "students.0.filters: {choice: [[12, 24], [12]]}")
    assert said.startswith("demo.yaml:9: students.0.filters")


def test_a_project_without_a_space_has_no_sweep(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(PROJECT.format(space="    {}"))
    with pytest.raises(ValueError, match=r"sweep.space is empty: name what to vary"):
        root_of(load_project(path))


def found(*best: dict[str, Any], ended: str = "every trial was made") -> Searched:
    trials = tuple(
        SettingsTrial(number=0, values=one, state="complete", scores=(0.9,), objectives=(0.9,))
        for one in best
    )
    about = {"study": "s", "objectives": ("score",), "metric": "valid/macro_f1", "engine": ""}
    run = RunRef(run_id="1", url="")
    return Searched(
        **about, run=run, best=trials, trials=trials, ended=ended, wall_seconds=1, cost={}
    )


def confirmed(believed: bool) -> Confirmed:
    return Confirmed(
        winner=(0.9,), present=(0.8,), gain=0.1, spread=0, is_believed=believed, sentence="so"
    )


def test_a_winner_that_is_believed_is_taken_with_what_all_trials_had(tmp_path: Path) -> None:
    project = load_project(written(tmp_path, "teacher.weight_decay: {log: [0.0001, 0.1]}"))
    fixed = kept_fixed(project, "teacher", project.teacher, 0.004)
    assert fixed == {"teacher.lr": 0.004}, "the trials' rate, which the file leaves open"
    choice = choice_of(found({"teacher.weight_decay": 0.0031234567}), confirmed(True), fixed)
    assert choice.reason == "teacher.lr=0.004, teacher.weight_decay=0.003123: the sweep's winner so"
    taken = with_values(project, choice.values)
    assert (taken.teacher.lr, taken.teacher.weight_decay) == (0.004, 0.0031234567)
    assert taken.students == project.students


def test_a_schedule_that_was_found_with_the_rate_is_that_of_all_trials_and_is_kept(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, "teacher.weight_decay: {log: [0.0001, 0.1]}")
    project = load_project(path, ["sweep.schedules=[one_cycle, cosine]"])
    assert project.teacher.schedule == "one_cycle"
    model = scheduled(project, project.teacher, "cosine")
    decay = {"teacher.weight_decay": 0.003}
    target = target_of(project, model, 0.004)
    for trial in (target, target.with_values(decay)):
        assert trial.model().schedule == "cosine", "of the project's own side of a proof, too"
    fixed = kept_fixed(project, "teacher", model, 0.004)
    assert fixed == {"teacher.lr": 0.004, "teacher.schedule": "cosine"}
    taken = with_values(project, choice_of(found(decay), confirmed(True), fixed).values)
    assert (taken.teacher.lr, taken.teacher.schedule) == (0.004, "cosine")


def test_an_optimizer_that_has_its_own_schedule_keeps_it(tmp_path: Path) -> None:
    path = written(tmp_path, "teacher.weight_decay: {log: [0.0001, 0.1]}")
    project = load_project(path, ["teacher.optimizer=schedule_free"])
    assert scheduled(project, project.teacher, "cosine").schedule == "constant"


def test_a_schedule_that_is_varied_is_the_trials_own(tmp_path: Path) -> None:
    path = written(tmp_path, "teacher.schedule: {choice: [constant, step]}")
    project = load_project(path, ["sweep.schedules=[one_cycle, cosine]"])
    assert scheduled(project, project.teacher, "cosine") == project.teacher
    model = project.teacher.model_copy(update={"schedule": "cosine"})
    assert "teacher.schedule" not in kept_fixed(project, "teacher", model, 0.004)


@pytest.mark.parametrize(
    ("searched", "sure", "reason"),
    [
        (found({"teacher.lr": 0.1}), confirmed(False), "the sweep's winner so"),
        (found({"teacher.lr": 0.1}, ended=STOPPED), None, "no winner (stopped by a tag)"),
        (found(ended="the budget is used"), None, "no winner (the budget is used)"),
    ],
    ids=["not-believed", "stopped", "none"],
)
def test_else_the_file_s_settings_stay(
    searched: Searched, sure: Confirmed | None, reason: str
) -> None:
    choice = choice_of(searched, sure, {"teacher.batch_size": 32})
    assert choice.values == {}
    assert reason in choice.reason


def test_a_stop_leaves_nothing_to_confirm() -> None:
    assert found({"teacher.lr": 0.1}).winner == {"teacher.lr": 0.1}
    assert found({"teacher.lr": 0.1}, ended=STOPPED).winner is None


@pytest.mark.parametrize(
    ("when", "objectives", "expected"),
    [
        ("changed", ["score"], True),
        ("once", ["score"], True),
        ("never", ["score"], False),
        ("changed", ["score", "parameters"], False),
        ("changed", ["quality", "size_mb"], False),
    ],
)
def test_when_a_run_searches(
    tmp_path: Path, when: str, objectives: list[str], expected: bool
) -> None:
    project = load_project(
        written(tmp_path, "teacher.weight_decay: {log: [0.0001, 0.1]}"),
        [f"sweep.search.when={when}", f"sweep.search.objectives={json.dumps(objectives)}"],
    )
    assert project.searches is expected
    path = tmp_path / "demo.yaml"
    path.write_text(PROJECT.format(space="    {}"))
    assert not load_project(path).searches


def snapshot(sha256: str) -> DatasetRef:
    about = {"name": "demo", "uri": "", "source_sha256": "", "kind": "image", "inputs": ("image",)}
    return DatasetRef(**about, sha256=sha256, target="digit", classes=("0", "1"), rows={})


def test_new_rows_are_a_reason_unless_once_is_enough(tmp_path: Path) -> None:
    project = load_project(written(tmp_path, "teacher.weight_decay: {log: [0.0001, 0.1]}"))
    tonight, tomorrow = snapshot("1"), snapshot("2")

    def identity(dataset: DatasetRef, lr: float, **changes: Any) -> str:
        asked = project.teacher.model_copy(update=changes)
        subject = Subject(
            target=target_of(project, asked, lr),
            asked=asked.model_dump(mode="json"),
            compute=project.compute,
            dataset=dataset,
            lasts=lasts,
        )
        return subject.identity

    for lasts in (False, True):
        first = identity(tonight, 0.01)
        assert (identity(tomorrow, 0.02) == first) is lasts
        assert identity(tonight, 0.01, epochs=7) != first


@pytest.mark.parametrize(
    "change",
    [
        "gate.metric=accuracy",
        "compress.quantize=int8-static",
        "deploy.threads=2",
        "teacher.epochs=7",
        "students.0.epochs=7",
    ],
)
def test_once_holds_for_these_settings_alone(tmp_path: Path, change: str) -> None:
    path = written(tmp_path, "students.0.dropout: {linear: [0, 0.5]}")

    def identity(*overrides: str) -> str:
        project = load_project(path, ["sweep.search.objectives=[quality, size_mb]", *overrides])
        return Subject(
            target=target_of(project, project.students[0], 0.01),
            asked=asked_for(project, "students.0"),
            compute=project.compute,
            dataset=snapshot("1"),
            lasts=True,
        ).identity

    assert identity() == identity() != identity(change)


@pytest.mark.parametrize(
    ("space", "asked"),
    [
        ("features: {log: [0.01, 1]}", "{}"),
        ("features: {choice: [0, 0.5]}", "{features: 0.5}"),
        ("relations: {linear: [0.1, 1]}", "{hidden: 0}"),
    ],
)
def test_hints_are_varied_where_the_teacher_is_asked_for_them(
    tmp_path: Path, space: str, asked: str
) -> None:
    said = refusal(tmp_path, f"compress.distil.{space}", "students.0.dropout: {linear: [0, 0.5]}",
                   overrides=[f"compress.distil={asked}"])  # fmt: skip
    assert "the teacher is asked once, before the first trial" in said


def test_hints_that_every_trial_has_are_varied(tmp_path: Path) -> None:
    space = "compress.distil.features: {linear: [0, 1]}", "students.0.dropout: {linear: [0, 0.5]}"
    project = load_project(
        written(tmp_path, *space), ["compress.distil={features: 0.5, relations: 0.5}"]
    )
    assert root_of(project) == "students.0"


def test_precision_is_varied_with_a_model(tmp_path: Path) -> None:
    project = load_project(
        written(
            tmp_path,
            "students.0.lr: {log: [0.0001, 0.1]}",
            "compute.precision: {choice: [float32, bfloat16]}",
        )
    )
    assert root_of(project) == "students.0"
    target = target_of(project, model_of(project, "students.0"), 0.003)
    tried = target.with_values({"compute.precision": "bfloat16"})
    assert (target.precision, tried.precision) == (None, "bfloat16")
    assert with_values(project, {"compute.precision": "bfloat16"}).compute.precision == "bfloat16"


def test_the_form_is_varied_where_what_is_deployed_is_traded(tmp_path: Path) -> None:
    space = "compress.quantize: {choice: [int8, int8-static, none]}"
    path = written(tmp_path, "students.0.lr: {log: [0.0001, 0.1]}", space)
    traded = ["sweep.search.objectives=[quality, p95_ms, size_mb]", "deploy.threads=2"]
    project = load_project(path, traded)
    target = target_of(project, model_of(project, root_of(project)), 0.003)
    assert target.form == QuantizeConfig()
    assert target.deploy == project.deploy
    static = target.with_values({"compress.quantize": "int8-static"}).form
    assert static == QuantizeConfig(precision="int8-static")
    assert target.with_values({"compress.quantize": "none"}).form is None
    assert present_values(project, 0.003)["compress.quantize"] == "int8"
    with pytest.raises(ValueError, match="a trial is deployed in one form"):
        load_project(written(tmp_path, space.replace("int8-static", "[int8-static]")), traded)
    with pytest.raises(ValueError, match="int9"):
        load_project(written(tmp_path, space.replace("none", "int9")), traded)


AUTO = PROJECT.partition("sweep:")[0].replace("{{", "{").replace("}}", "}") + "compress: auto\n"


def test_auto_searches_shape_lesson_rate_and_form_as_one(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(AUTO)
    project = load_project(path)
    assert project.sweep.space["students.0.hidden"].choice == (64, 32, 16)
    assert {"students.0.lr", "compress.distil.weight", "compress.quantize"} < set(
        project.sweep.space
    )
    assert project.sweep.search.objectives == ("quality", "p95_ms", "size_mb")
    assert (project.budget.max_drop, project.searches) == (0.01, True)
    assert root_of(project) == "students.0"
    assert project.compress == CompressConfig()


def test_what_the_file_says_of_the_search_goes_before_what_auto_means(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(AUTO + "budget: {memory_mb: 90}\nsweep: {budget: {trials: 4}}\n")
    project = load_project(path)
    assert project.sweep.search.objectives == ("quality", "memory_mb")
    assert (project.budget.max_drop, project.sweep.budget.trials) == (None, 4)


def test_no_other_word_stands_for_compress(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(AUTO.replace("auto", "full"))
    with pytest.raises(ValueError, match="'full' must be auto or a section"):
        load_project(path)


def test_a_run_searches_for_several_objectives_where_the_budget_picks(tmp_path: Path) -> None:
    path = written(tmp_path, "students.0.lr: {log: [0.0001, 0.1]}")
    traded = "sweep.search.objectives=[quality, size_mb]"
    assert not load_project(path, [traded, "budget.memory_mb=100"]).searches
    assert load_project(path, [traded, "budget.size_mb=100"]).searches


def test_what_the_budget_picks_is_taken(tmp_path: Path) -> None:
    project = load_project(written(tmp_path, "students.0.lr: {log: [0.0001, 0.1]}"))
    searched = found({"students.0.lr": 0.003}).model_copy(
        update={"objectives": ("quality", "size_mb")}
    )
    pick = Pick(searched.best[0], True, "trial 0: so")
    choice = choice_of(searched, None, {}, pick)
    assert choice.reason == "students.0.lr=0.003: for the budget, trial 0: so"
    kept = choice_of(searched, confirmed(True), {}, pick)
    assert kept.reason == "students.0.lr=0.003: for the budget, trial 0: so; so"
    lost = choice_of(searched, confirmed(False), {}, pick)
    assert lost.values == {}
    assert lost.reason == "those of the file stay; for the budget, trial 0: so; so"
    stopped = searched.model_copy(update={"ended": STOPPED})
    assert choice_of(stopped, None, {}, pick).values == {}
    assert with_values(project, choice.values).students[0].lr == 0.003


PRUNED = "compress.prune=[{neurons: 0.5}]"


@pytest.mark.parametrize(
    ("line", "section", "sentence"),
    [
        ("1.neurons: {linear: [0.1, 0.9]}", PRUNED, "there are prunings 0 to 0 in compress.prune"),
        ("0.neuron: {linear: [0.1, 0.9]}", PRUNED, "unknown field, did you mean neurons?"),
        ("0.recover.rate: {log: [0.01, 0.1]}", PRUNED, "unknown field"),
        ("0.heads: {linear: [0.1, 0.9]}", PRUNED, "model lenet has channels, neurons"),
        ("0.neurons: {linear: [0, 0.9]}", PRUNED, "prune of teacher removes nothing"),
        ("0.neurons: {linear: [0.1, 1]}", PRUNED, "less than 1"),
        ("0.rounds: {integer: [1, 30]}", PRUNED, "less than or equal to 10"),
        ("0.of: {choice: [teacher, small]}", PRUNED, "a sweep is about one"),
        ("0.sparsity: {linear: [0, 0.9]}", PRUNED, "zeros make nothing faster"),
        ("first.neurons: {linear: [0.1, 0.9]}", PRUNED, "must be a field of teacher"),
    ],
)
def test_what_cannot_go_in_a_trial_is_refused(
    tmp_path: Path, line: str, section: str, sentence: str
) -> None:
    said = refusal(tmp_path, f"compress.prune.{line}", overrides=[section])
    assert sentence in said
    assert "\n" not in said


OF_SMALL = "compress.prune=[{of: small, neurons: 0.5}]"
IN_ROUNDS = "compress.prune=[{neurons: 0.5, rounds: 2}]"


@pytest.mark.parametrize(
    ("section", "search", "sentence"),
    [
        (OF_SMALL, "workers=2", "workers 2: a trial trains small ahead of its passes, by one"),
        (OF_SMALL, "engine=together", "engine together: a trial trains small ahead of its passes"),
        (OF_SMALL, "objectives=[score, seconds]", "seconds cannot be compared; leave it out"),
        (IN_ROUNDS, "workers=2", "a trial trains the rounds before the last ahead of its passes"),
    ],
)
def test_what_does_not_go_with_trainings_ahead_of_trials_is_refused(
    tmp_path: Path, section: str, search: str, sentence: str
) -> None:
    line = "compress.prune.0.neurons: {linear: [0.1, 0.9]}"
    said = refusal(tmp_path, line, overrides=[section, f"sweep.search.{search}"])
    assert sentence in said
    assert "\n" not in said


def test_members_of_a_population_train_nothing_ahead(tmp_path: Path) -> None:
    overrides = [OF_SMALL, "sweep.search.sampler=population"]
    line = "compress.prune.0.recover.lr: {log: [0.001, 0.1]}"
    said = refusal(tmp_path, line, overrides=overrides)
    assert "sampler population: a trial trains small ahead" in said


def test_a_student_and_its_pruning_are_one_space(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "students.0.filters: {choice: [[12, 24], [24, 48]]}",
        "students.0.lr: {log: [0.0001, 0.1]}",
        "compress.distil.temperature: {linear: [1, 8]}",
        "compress.prune.0.neurons: {linear: [0.1, 0.9]}",
        "compress.prune.0.rounds: {integer: [1, 3]}",
        "compress.prune.0.recover.lr: {log: [0.0001, 0.1]}",
        "compute.precision: {choice: [float32, bfloat16]}",
        "compress.quantize: {choice: [int8, none]}",
    )
    traded = ["sweep.search.objectives=[quality, size_mb]", "budget.size_mb=1"]
    fast = "students.0.optimizer=momentum"
    project = load_project(path, [OF_SMALL, *traded, "sweep.search.rows=100", fast])
    root = root_of(project)
    assert root == "compress.prune.0"
    target = target_of(project, model_of(project, root), 0.001)
    tried = target.with_values(
        {
            "students.0.filters": "[12,24]",
            "students.0.lr": 0.02,
            "compress.prune.0.neurons": 0.75,
            "compress.prune.0.rounds": 2,
            "compress.distil.temperature": 4.0,
        }
    )
    model = tried.model()
    assert (model.name, model.filters, model.lr) == ("small", (12, 24), 0.02)  # type: ignore[attr-defined]
    assert (tried.prune.neurons, tried.prune.rounds) == (0.75, 2)  # type: ignore[union-attr]
    assert (model.max_rows, tried.prune.recover.max_rows) == (100, 100)  # type: ignore[union-attr]
    assert tried.distil.temperature == 4.0  # type: ignore[union-attr]
    present = present_values(project, 0.001)
    assert present["compress.prune.0.recover.lr"] == 0.001
    assert present["students.0.lr"] == project.students[0].first_lr  # type: ignore[union-attr]
    assert set(asked_for(project, root)) == {"students.0", "teacher"}
    sized = project.students[0].of_size(64)  # type: ignore[union-attr]
    assert kept_fixed(project, root, sized, 0.001) == {"students.0.batch_size": 64}


def test_a_pruning_and_another_student_are_two_models(tmp_path: Path) -> None:
    lines = "compress.prune.0.neurons: {linear: [0.1, 0.9]}", "students.0.lr: {log: [0.001, 0.1]}"
    two = "students=[{name: small, model: small_lenet}, {name: other, model: small_lenet}]"
    section = "compress.prune=[{of: other, neurons: 0.5}]"
    said = refusal(tmp_path, *lines, overrides=[two, section])
    assert "about compress.prune.0 and students.0: a sweep is about one model" in said


def test_what_a_trial_trains_ahead_is_planned(tmp_path: Path) -> None:
    path = written(tmp_path, "compress.prune.0.neurons: {linear: [0.1, 0.9]}")

    def seconds(section: str) -> float:
        steps = draw_plan(load_project(path, [section]), 100_000, look_up=False)
        return next(step.seconds for step in steps if step.name == "search_settings")

    assert seconds(IN_ROUNDS) > seconds(PRUNED)
    assert seconds(OF_SMALL.replace("}", ", rounds: 2}")) > seconds(OF_SMALL)


def test_a_pruning_and_a_student_are_two_models(tmp_path: Path) -> None:
    lines = "compress.prune.0.neurons: {linear: [0.1, 0.9]}", "students.0.lr: {log: [0.001, 0.1]}"
    said = refusal(tmp_path, *lines, overrides=[PRUNED])
    assert "about compress.prune.0 and students.0: a sweep is about one model" in said


def test_what_goes_is_searched_with_lesson_recovery_and_form(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "compress.prune.0.neurons: {linear: [0.1, 0.9]}",
        "compress.prune.0.recover.lr: {log: [0.0001, 0.01]}",
        "compress.distil.temperature: {linear: [1, 8]}",
        "compress.quantize: {choice: [int8, none]}",
    )
    traded = ["sweep.search.objectives=[quality, size_mb]", "budget.size_mb=1"]
    project = load_project(path, [PRUNED, *traded, "sweep.search.rows=100"])
    root = root_of(project)
    assert root == "compress.prune.0"
    assert project.searches
    target = target_of(project, model_of(project, root), 0.001)
    assert target.model().name == "teacher"
    chosen = {
        "compress.prune.0.neurons": 0.75,
        "compress.prune.0.recover.lr": 0.002,
        "compress.distil.temperature": 4.0,
        "compress.quantize": "none",
    }
    tried = target.with_values(chosen)
    recover = RecoverConfig(lr=0.002, max_rows=100)
    assert tried.prune == PruneConfig(neurons=0.75, recover=recover)
    assert (tried.distil.temperature, tried.form) == (4.0, None)  # type: ignore[union-attr]
    assert tried.model() == target.model()
    assert present_values(project, 0.001) == {
        "compress.prune.0.neurons": 0.5,
        "compress.prune.0.recover.lr": 0.001,
        "compress.distil.temperature": 2.0,
        "compress.quantize": "int8",
    }
    assert learner_of(project, root, project.teacher).max_rows == 100
    assert kept_fixed(project, root, project.teacher, 0.001) == {}
    steps = {step.name: step.seconds for step in draw_plan(project, 1000, look_up=False)}
    assert steps["search_settings"] > 5
    taken = with_values(project, chosen)
    assert taken.compress.prune == (PruneConfig(neurons=0.75, recover=RecoverConfig(lr=0.002)),)
    assert (taken.compress.distil.temperature, taken.compress.quantize) == (4.0, ())
    assert taken.teacher == project.teacher
