"""The door to MLflow's registry: one version for a bundle, and aliases that mirror the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
from mlflow.entities import LoggedModelStatus
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature

from infra.tracking import client, door

BUNDLE = "modelworks.bundle"
PYFUNC_FILE = Path(__file__).with_name("pyfunc_model.py")
REQUIRED = ("mlflow", "numpy", "onnxruntime", "pandas", "tokenizers")


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """One bundle and what MLflow should keep with it."""

    project: str
    sha256: str
    """Of the bundle: never two versions for one."""
    run_id: str
    bundle: Path
    predictor: Path
    """Folder of the package that answers from a bundle."""
    example: pd.DataFrame
    """A few input rows."""
    answer: pd.DataFrame
    """What the model answers to them."""
    tags: Mapping[str, str]
    description: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the model may be told for one call, with what holds when it is not."""
    session: Mapping[str, Any] = field(default_factory=dict)
    """How it is opened where the loader says nothing else (`model_config`)."""
    needed: tuple[str, ...] = ()
    """Distributions that the predictor needs for this bundle, beside those of every one."""


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """One version as MLflow has it."""

    version: int
    sha256: str
    run_id: str
    tags: dict[str, str]


@door
def register(registration: Registration) -> int:
    """Number of the bundle's version; the model is stored and the version made if need be."""
    found = find_version(registration.project, registration.sha256)
    if found is not None:
        return found.version
    _make_registered_model(registration.project)
    model_id = _logged_model(registration)
    client().create_model_version(
        registration.project,
        source=f"models:/{model_id}",
        run_id=registration.run_id,
        model_id=model_id,
        tags={**registration.tags, BUNDLE: registration.sha256},
        description=registration.description,
    )
    return _settle(registration.project, registration.sha256)


@door
def find_version(project: str, sha256: str) -> RegisteredVersion | None:
    """The version that was made from a bundle, if there is one."""
    found = _versions(project, f" and tags.`{BUNDLE}` = '{sha256}'")
    return found[0] if found else None


@door
def versions(project: str) -> list[RegisteredVersion]:
    """All versions of the project by number."""
    return _versions(project)


@door
def get_version(project: str, version: int | None = None) -> RegisteredVersion:
    """One version, the newest if none is named; ValueError names those that exist."""
    known = _versions(project)
    if version is None and known:
        return known[-1]
    found = next((item for item in known if item.version == version), None)
    if found is None:
        allowed = ", ".join(str(item.version) for item in known) or "none is registered"
        asked = "a version" if version is None else f"version {version}"
        raise ValueError(f"{asked} of {project} does not exist; allowed: {allowed}")
    return found


@door
def alias_version(project: str, alias: str) -> int | None:
    """The version that an alias names, if it names one."""
    try:
        return int(client().get_model_version_by_alias(project, alias).version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


@door
def set_alias(project: str, alias: str, version: int) -> None:
    """Let the alias name the version."""
    client().set_registered_model_alias(project, alias, str(version))


@door
def delete_alias(project: str, alias: str) -> None:
    """Take the alias away, if it is there."""
    if alias_version(project, alias) is not None:
        client().delete_registered_model_alias(project, alias)


def _versions(project: str, condition: str = "") -> list[RegisteredVersion]:
    """Versions of the project by number."""
    found = client().search_model_versions(f"name = '{project}'{condition}")
    return sorted(map(_registered, found), key=lambda item: item.version)


def _registered(found: ModelVersion) -> RegisteredVersion:
    tags = dict(found.tags)
    return RegisteredVersion(int(found.version), tags.get(BUNDLE, ""), found.run_id or "", tags)


def _settle(project: str, sha256: str) -> int:
    """The first version of the bundle; a twin that a repeated request made is taken back."""
    first, *twins = _versions(project, f" and tags.`{BUNDLE}` = '{sha256}'")
    for twin in twins:
        client().delete_model_version(project, str(twin.version))
    return first.version


def _make_registered_model(project: str) -> None:
    try:
        client().create_registered_model(project)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _logged_model(registration: Registration) -> str:
    """Id of the stored model of this bundle; an upload that was cut short is done again."""
    experiment = client().get_run(registration.run_id).info.experiment_id
    condition = f"tags.`{BUNDLE}` = '{registration.sha256}'"
    found = client().search_logged_models([experiment], condition)
    ready = [model for model in found if model.status == LoggedModelStatus.READY]
    if ready:
        return str(ready[0].model_id)
    model = found[0] if found else None
    if model is None:
        tags = {**registration.tags, BUNDLE: registration.sha256}
        model = client().create_logged_model(
            experiment, registration.project, registration.run_id, tags
        )
    _store_model(registration, model.model_id)
    return str(model.model_id)


def _store_model(registration: Registration, model_id: str) -> None:
    Model.log(
        None,
        mlflow.pyfunc,
        model_id=model_id,
        run_id=registration.run_id,
        python_model=str(PYFUNC_FILE),
        model_config=dict(registration.session) or None,
        artifacts={"bundle": str(registration.bundle)},
        code_paths=[str(registration.predictor)],
        # Given, not inferred: inference starts a process that imports the model, 16 s.
        pip_requirements=[
            f"{name}=={installed(name)}" for name in (*REQUIRED, *registration.needed)
        ],
        signature=infer_signature(
            registration.example, registration.answer, dict(registration.settings) or None
        ),
        input_example=registration.example,
    )
