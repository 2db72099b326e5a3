"""A bundle becomes a version in MLflow's registry, whatever the gate said."""

from pathlib import Path
from tempfile import TemporaryDirectory

from infra import registry, tracking
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, EvalReport, RunRef
from tasks.costs.shares import cost_of_model
from tasks.kept_costs import kept_costs
from tasks.packaging.bundle import needed_by
from tasks.packaging.card import bundle_with_card, card_text
from tasks.packaging.deploy import ALONE, DeployConfig
from tasks.promotion.records import child_key, child_tags
from tasks.promotion.sample_answer import PREDICTOR_FOLDER, example_and_answer, settings_of
from tasks.quality_artifacts import QualityReport
from tasks.step import ended_steps, step


@step()
def register_candidate(
    project: str,
    run: RunRef,
    dataset: DatasetRef,
    reports: list[EvalReport],
    quality: QualityReport,
    deploy: DeployConfig = ALONE,
) -> int:
    """Register the bundle that `reports` are about, or find its version; the version.

    What it took to make the bundle is no input: it differs from one making to the next.
    """
    storage, candidate = open_storage(), reports[0].candidate
    bundle = storage.fetch_folder(candidate.uri)
    example, answer = example_and_answer(bundle, storage.fetch_folder(dataset.uri), dataset)
    key, tags = child_key(run, candidate), child_tags(candidate)
    costs = kept_costs(each.key for each in ended_steps())
    made = cost_of_model(candidate.name, costs.values())
    with TemporaryDirectory() as folder:
        text = card_text(bundle, dataset, reports, quality, made)
        registration = registry.Registration(
            project=project,
            sha256=candidate.sha256,
            run_id=tracking.child_run(run.run_id, key, candidate.name, tags, {}),
            bundle=bundle_with_card(bundle, Path(folder, "bundle"), text),
            predictor=PREDICTOR_FOLDER,
            example=example,
            answer=answer,
            tags={
                **tags,
                "modelworks.candidate": candidate.model_dump_json(),
                "modelworks.dataset": dataset.sha256,
                **{name: f"{value:.6g}" for name, value in made.metrics().items()},
            },
            description=text,
            needed=needed_by(bundle),
            settings=settings_of(bundle),
            session=deploy.session,
        )
        return registry.register(registration)
