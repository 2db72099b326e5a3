"""Every mistake in a project file is one sentence with place, field, value and what is allowed."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from flows.project import Project
from flows.project_file import load_project, project_schema
from models.minilm import minilm_folder
from tasks.training.architectures import PretrainedTeacher
from tasks.training.sklearn_architecture import SklearnTeacher

PROJECTS = Path(__file__).resolve().parents[2] / "flows" / "projects"
MINIMAL = "name: reviews\ndata:\n  source: rows.csv\n  target: label\n"
MINIMAL_LINES = MINIMAL.count("\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text("text,label\ngood,1\n")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "reviews.yaml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ValueError, match=r".") as raised:
        load_project(written(folder, text), overrides)
    return str(raised.value)


def test_a_minimal_file_is_enough(folder: Path) -> None:
    project = load_project(written(folder, MINIMAL))
    assert project.name == "reviews"
    assert project.teacher.max_rows == 8000
    assert [student.name for student in project.students] == ["minilm-2", "ngram-bag"]


def test_a_relative_source_is_found_from_the_project_file(folder: Path) -> None:
    assert load_project(written(folder, MINIMAL)).data.source == str(folder / "rows.csv")


def test_an_own_encoder_is_found_from_the_project_file_and_keyed_by_its_content(
    folder: Path,
) -> None:
    source = minilm_folder()
    (folder / "own").mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / "own" / name).symlink_to(source / name)
    text = f"{MINIMAL}teacher: {{model: encoder, pretrained: own}}\n"
    teacher = load_project(written(folder, text)).teacher
    assert isinstance(teacher, PretrainedTeacher)
    assert (teacher.pretrained, len(teacher.sha256)) == (str(folder / "own"), 64)
    (folder / "own" / "tokenizer.json").unlink()
    assert refusal(folder, text).startswith(
        f"reviews.yaml:{MINIMAL_LINES + 1}: teacher: {folder / 'own'} has no tokenizer.json; "
    )


def test_a_pattern_of_zeros_is_no_time_of_day(folder: Path) -> None:
    """YAML 1.1 reads 2:4 as 124."""
    prunings = "[{of: minilm-2, pattern: 2:4}, {sparsity: 0.5}]"
    text = f"{MINIMAL}compress: {{prune: {prunings}}}\n"
    pattern, half = load_project(written(folder, text)).compress.prune
    assert (pattern.pattern, half.sparsity) == ("2:4", 0.5)


@pytest.mark.parametrize("path", sorted(PROJECTS.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_projects_load_and_name_the_schema(path: Path) -> None:
    assert load_project(path).name == path.stem
    first_line = path.read_text().splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=project.schema.json"
    jsonschema.validate(YAML(typ="safe").load(path), project_schema())


@pytest.mark.parametrize(
    "folder", [path for path in sorted(PROJECTS.iterdir()) if path.is_dir()], ids=lambda p: p.name
)
def test_shipped_data_is_packed_with_its_licence(folder: Path) -> None:
    assert "icence" in (folder / "LICENCE.md").read_text()
    settings = tomllib.loads((PROJECTS.parents[1] / "pyproject.toml").read_text())
    assert f"projects/{folder.name}/*" in settings["tool"]["setuptools"]["package-data"]["flows"]


def test_the_schema_file_is_current() -> None:
    stored = json.loads((PROJECTS / "project.schema.json").read_text())
    assert stored == project_schema(), (
        "write it again: modelworks schema > flows/projects/project.schema.json"
    )


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        pytest.param(
            "teacher:\n  epoch: 3\n",
            "reviews.yaml:6: teacher.epoch: unknown field, did you mean epochs? "
            "allowed: optimizer, momentum, schedule, step_factor, plateau_factor, warm_up, "
            "weight_decay, l1, l2, label_smoothing, averaging, ema_decay, patience, clip_norm, "
            "clip_value, accumulate, choose_by, name, epochs, batch_size, lr, max_rows, seed, "
            "augment, gradient_checkpointing, frozen, min_count, frozen_words, model, layers, "
            "feed_forward",
            id="misspelt",
        ),
        pytest.param(
            "teacher: {epochs: 0}\n",
            "reviews.yaml:5: teacher.epochs: 0 must be greater than 0",
            id="below the limit",
        ),
        pytest.param(
            "teacher: {lr: abc}\n",
            "reviews.yaml:5: teacher.lr: 'abc' must be a valid number or 'auto'",
            id="neither number nor auto",
        ),
        pytest.param(
            "teacher: {lr: .nan}\n",
            "reviews.yaml:5: teacher.lr: nan must be a finite number",
            id="not a number",
        ),
        pytest.param(
            "students:\n  - {name: a, model: minilm}\n  - {name: b, model: gpt}\n",
            "reviews.yaml:7: students.1.model: 'gpt' must be one of minilm, encoder, transformer, "
            "rnn, lstm, gru, embedding_pool, causal_transformer, lstm_language, series_rnn, "
            "series_lstm, series_gru, series_cnn, ngram_bag, table_resnet, ft_transformer, mlp, "
            "lenet, small_lenet, shared_kernel_cnn, resnet, efficientnet_lite, audio_cnn, "
            "matrix_factorisation, neural_collaborative_filtering, two_tower, sklearn",
            id="in a list",
        ),
        pytest.param(
            "students: []\n",
            "reviews.yaml:5: students: [] must have at least 1 item",
            id="empty list",
        ),
        pytest.param(
            "compute: {workers: 2.5}\n",
            "reviews.yaml:5: compute.workers: 2.5 must be a valid integer",
            id="fraction",
        ),
        pytest.param(
            "sweep: {lr: [1.0e-5]}\n",
            "reviews.yaml:5: sweep.lr.1: a value is missing",
            id="half an interval",
        ),
        pytest.param(
            "gate: strict\n",
            "reviews.yaml:5: gate: 'strict' must be a section with the fields metric, margin, "
            "when, confidence, resamples, seed",
            id="word where a section belongs",
        ),
        pytest.param(
            "promote: {approval: two}\n",
            "reviews.yaml:5: promote.approval: 'two' must be 'none' or 'one'",
            id="not a choice",
        ),
        pytest.param(
            "name: again\n",
            "reviews.yaml:5: name: stands twice, each field may stand once",
            id="stands twice",
        ),
        pytest.param(
            "teacher: !!python/object:os.system x\n",
            "reviews.yaml:5: teacher: a tag (tag:yaml.org,2002:python/object:os.system) "
            "is not allowed",
            id="tag",
        ),
        pytest.param(
            "budget: {p95_ms: [1,}\n",
            "reviews.yaml:5: not valid YAML: expected the node content, but found '}'",
            id="syntax",
        ),
    ],
)
def test_one_sentence_for_a_mistake(folder: Path, lines: str, sentence: str) -> None:
    assert refusal(folder, MINIMAL + lines) == sentence


@pytest.mark.parametrize("name", ["../escape", "a/b", "Upper", "", "x" * 64, "-dash", "a b"])
def test_names_that_could_leave_their_folder_are_refused(folder: Path, name: str) -> None:
    sentence = refusal(folder, MINIMAL.replace("reviews", f"'{name}'"))
    assert sentence.startswith(f"reviews.yaml:1: name: {name!r}"[:60])
    assert sentence.endswith("of which the first is a letter or a digit")


def test_a_limit_over_two_fields_names_the_section(folder: Path) -> None:
    text = MINIMAL + "  split: {valid: 0.4, test: 0.4}\n"
    assert refusal(folder, text) == (
        "reviews.yaml:5: data.split: valid 0.4 + test 0.4 must leave 0.4 to train on"
    )


@pytest.mark.parametrize("value", ["!!int ", "[" * 5000, "&a [*a]", "*nope", "!!binary x"])
def test_yaml_that_breaks_its_parser_is_refused(folder: Path, value: str) -> None:
    assert refusal(folder, MINIMAL + f"teacher: {value}\n").startswith("reviews.yaml")


def test_all_problems_are_told_at_once_each_once(folder: Path) -> None:
    text = MINIMAL.replace("  target: label\n", "") + "students:\n- {name: a, model: b}\nteam: 1\n"
    assert [line.split(": ")[1] for line in refusal(folder, text).splitlines()] == [
        "data.target",
        "students.0.model",
        "team",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "nothing"), ("- a\n", "a list"), ("hello\n", "text"), ("# only this\n", "nothing")],
    ids=["empty", "list", "word", "comment"],
)
def test_a_file_without_fields(folder: Path, text: str, found: str) -> None:
    sentence = refusal(folder, text)
    assert sentence.startswith(f"reviews.yaml: {found} where fields were expected: name, data,")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nope\.yaml: no such file, a project file"):
        load_project(tmp_path / "nope.yaml")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a directory, a project file"):
        load_project(tmp_path)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(b"name: a\n# caf\xe9\n")
    with pytest.raises(ValueError, match=r"p\.yaml:2: not UTF-8"):
        load_project(path)


def test_the_data_file_instead_of_the_project_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n" * 300_000)
    with pytest.raises(ValueError, match=r"1,200,000 bytes.*is it the data\?"):
        load_project(path)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("gone.csv", "'gone.csv': no such file"),
        ("own", "'own' is a directory that holds no file of rows, which end in one of .csv"),
        ("s3://bucket/key", "s3:// cannot be read, allowed: a path"),
        ("package://no_such_package/a.csv", "no package 'no_such_package' is installed"),
    ],
    ids=["missing", "directory", "scheme", "package"],
)
def test_a_source_that_is_not_there_names_its_line(folder: Path, source: str, reason: str) -> None:
    (folder / "own").mkdir()
    sentence = refusal(folder, MINIMAL.replace("rows.csv", source))
    assert sentence.startswith("reviews.yaml:3: data.source ")
    assert reason in sentence


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("teacher.epochs=1", lambda p: p.teacher.epochs == 1),
        ("teacher.lr=1e-4", lambda p: p.teacher.lr == 1e-4),
        ("students.1.width=32", lambda p: p.students[1].width == 32),
        ("promote.approval=one", lambda p: p.promote.approval == "one"),
        ("data.inputs=[body, title]", lambda p: p.data.inputs == ("body", "title")),
        ("budget.p95_ms=", lambda p: p.budget.p95_ms is None),
        ("data.split.group_by=null", lambda p: p.data.split.group_by is None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_overrides_apply_over_defaults(folder: Path, override: str, read: object) -> None:
    assert callable(read)
    assert read(load_project(written(folder, MINIMAL), [override]))


def test_the_last_override_wins(folder: Path) -> None:
    path = written(folder, MINIMAL)
    assert load_project(path, ["teacher.epochs=1", "teacher.epochs=3"]).teacher.epochs == 3


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("teacher", "must be KEY=VALUE, such as teacher.epochs=1"),
        ("=1", "must be KEY=VALUE, such as teacher.epochs=1"),
        ("teacher.epoch=3", "unknown field, did you mean epochs? allowed: optimizer, "),
        ("tacher.epochs=3", "unknown field, did you mean teacher? allowed: name, data,"),
        ("teacher.epochs=x", "teacher.epochs: 'x' must be a valid integer"),
        ("students.5.epochs=1", "students is a list with the places 0 to 1, not 5"),
        ("students.a.epochs=1", "students is a list with the places 0 to 1, not 'a'"),
        ("name.x=1", "name is 'reviews', without fields"),
        ("teacher.lr=.inf", "teacher.lr: inf must be a finite number"),
        ("teacher.lr=[", "the value is not valid YAML"),
    ],
    ids=lambda value: value if "=" in value else "",
)
def test_a_wrong_override_is_named(folder: Path, override: str, reason: str) -> None:
    assert refusal(folder, MINIMAL, override).startswith(f"--set {override}: {reason}")


def test_every_section_has_allowed_fields_in_the_schema() -> None:
    assert set(project_schema()["properties"]) == set(Project.model_fields)
    assert project_schema()["additionalProperties"] is False


@pytest.mark.parametrize("path", sorted(PROJECTS.glob("*.yaml")), ids=lambda path: path.name)
def test_a_project_survives_being_a_parameter(path: Path) -> None:
    """A schedule hands it over as JSON, with every default written out."""
    project = load_project(path)
    assert Project.model_validate(project.model_dump(mode="json")) == project


ESTIMATOR = "teacher: {model: sklearn, estimator: ensemble.RandomForestClassifier, params: {}}\n"


def test_parameters_of_an_estimator_can_be_set_by_name(folder: Path) -> None:
    project = load_project(
        written(folder, MINIMAL + ESTIMATOR),
        ["teacher.params.n_estimators=50", "students.0.epochs=3"],
    )
    assert isinstance(project.teacher, SklearnTeacher)
    assert project.teacher.params == {"n_estimators": 50}


@pytest.mark.parametrize(
    ("text", "override", "sentence"),
    [
        (
            ESTIMATOR, "teacher.params.n_estimator=50",
            "teacher: params.n_estimator is no parameter of ensemble.RandomForestClassifier, did "
            "you mean n_estimators? allowed: n_estimators, criterion",
        ),
        (ESTIMATOR, "teacher.epochs=3", "unknown field; allowed: model, name, estimator, params"),
        (ESTIMATOR, "teacher.folds=0", "teacher.folds: 0 must be greater than or equal to 1"),
        (
            ESTIMATOR.replace("Classifier", "Regressor"), "gate.margin=0.02",
            "estimator ensemble.RandomForestRegressor of teacher is a regressor; task "
            "classification needs a classifier, did you mean ensemble.RandomForestClassifier?",
        ),
        (
            "students: [{model: sklearn, name: a, estimator: ensemble.RandomForest}]\n",
            "gate.margin=0.02",
            f"reviews.yaml:{MINIMAL_LINES + 1}: students.0: estimator 'ensemble.RandomForest' is "
            "no classifier or regressor of scikit-learn, did you mean ",
        ),
    ],
    ids=["parameter", "field", "limit", "task", "name"],
)  # fmt: skip
def test_an_estimator_is_checked_when_the_file_is_read(
    folder: Path, text: str, override: str, sentence: str
) -> None:
    assert sentence in refusal(folder, MINIMAL + text, override)


def test_hints_are_for_models_that_end_in_a_linear_layer(folder: Path) -> None:
    text = MINIMAL + "compress: {distil: {features: 0.5}}\n"
    assert load_project(written(folder, text)).compress.distil.has_hints
    text += ESTIMATOR
    assert "model sklearn of teacher has no linear layer at its end, only 0" in refusal(
        folder, text
    )


def test_hints_of_tokens_are_for_transformers_of_text(folder: Path) -> None:
    own = "students: [{name: small, model: minilm, layers: 2}]\n"
    text = MINIMAL + "compress: {distil: {hidden: 1, token_relations: 0.5}}\n"
    assert load_project(written(folder, text + own)).compress.distil.has_token_hints
    assert "model ngram_bag of ngram-bag is no transformer of text, only 0" in refusal(folder, text)
    frozen = text + own.replace("layers: 2", "layers: 2, frozen: true")
    assert "frozen true of small leaves nothing that reads tokens" in refusal(folder, frozen)
    prune = "compress: {distil: {attention: 1}, prune: [{heads: 0.5}]}\n"
    assert "compress.prune removes heads; token_relations compares any" in refusal(
        folder, MINIMAL + prune + own
    )


def test_unlabelled_rows_are_found_from_the_project_file(folder: Path) -> None:
    text = MINIMAL + "compress: {distil: {unlabelled: more.csv, made_rows: 4}}\n"
    sentence = "reviews.yaml:5: compress.distil.unlabelled 'more.csv': no such file"
    assert sentence in refusal(folder, text)
    (folder / "more.csv").write_text("text\ngood\n")
    distil = load_project(written(folder, text)).compress.distil
    assert distil.unlabelled == str(folder / "more.csv")
    by_query = text.replace("more.csv", "sql://reviews")
    assert "compress.distil.unlabelled 'sql://reviews': sql:// cannot be read" in refusal(
        folder, by_query
    )


@pytest.mark.parametrize(
    ("data", "distil", "sentence"),
    [
        ("", "made_rows: 4, weight: 0", "compress.distil: weight 0: unlabelled and made_rows"),
        ("  kind: image\n", "made_rows: 4", "made_rows 4: rows are made of kinds text and table"),
        ("  task: generation\n", "made_rows: 4", "task generation of kind text learns what"),
        ("", "layer_map: top", "layer_map top is of hidden and attention, both are 0"),
        ("", "most_unlabelled: 9", "most_unlabelled 9 is of a source of unlabelled rows, and"),
        ("", "made_rows: 51", "compress.distil.made_rows: 51 must be less than or equal to 50"),
    ],
    ids=["weight", "image", "generation", "map", "most", "many"],
)
def test_rows_without_labels_are_for_what_a_teacher_can_label(
    folder: Path, data: str, distil: str, sentence: str
) -> None:
    text = MINIMAL if "generation" not in data else MINIMAL.replace("  target: label\n", "")
    text += f"{data}compress: {{distil: {{{distil}}}}}\n"
    assert sentence in refusal(folder, text)


def test_float16_is_refused_where_the_champion_answers_on_a_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = MINIMAL + "compress: {quantize: [int8, float16]}\n"
    assert "compress.quantize float16 gains nothing on deploy.provider cpu" in refusal(folder, text)
    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: there)
    found = load_project(written(folder, text + "deploy: {provider: cuda}\n"))
    assert [form.name for form in found.compress.quantize] == ["int8", "float16"]


def test_several_teachers_are_for_answers_that_have_a_mean(folder: Path) -> None:
    text = MINIMAL + "compress: {distil: {teachers: 3}}\n"
    assert load_project(written(folder, text)).compress.distil.teachers == 3
    weighted = text.replace("teachers: 3", "teacher_weights: by_quality")
    assert "by_quality is of several teachers, teachers is 1" in refusal(folder, weighted)
    several = "which have no mean; only 1 is allowed"
    assert several in refusal(folder, text.replace("  target: label\n", "  task: generation\n"))
