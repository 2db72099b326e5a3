"""The main job: labelled data in, a small, fast, proven champion out."""

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows.outcome import Outcome
from flows.project import Project
from flows.runs import close_dead_runs
from flows.students import (
    prunings_of,
    settings_by_name,
    sized_students,
    trainings_of,
    with_control,
)
from flows.teacher import lesson_by, teacher_of, unlabelled_of
from flows.thorough import over_seeds, repeated
from tasks.artifacts import (
    Candidate,
    Cost,
    DatasetRef,
    EvalReport,
    RunRef,
    Split,
    TeacherOutputs,
    TrainedModel,
    Tuned,
)
from tasks.calibrate_candidate import calibrate_candidate
from tasks.close_runs import closed_on_failure
from tasks.compression.controls import control_of
from tasks.compression.gain import each_once, is_made
from tasks.compression.parts import is_aware
from tasks.decide_promotion import decide_promotion
from tasks.evaluate_candidate import evaluate_candidate
from tasks.export_model import export_model
from tasks.find_standing import find_standing
from tasks.fit_baseline import fit_baseline
from tasks.measure_costs import measure_costs
from tasks.open_run import open_run
from tasks.packaging.deploy import DeployConfig
from tasks.prepare_data import prepare_data
from tasks.promote_model import promote_model
from tasks.promotion.config import PromoteConfig
from tasks.promotion.selection import Selection
from tasks.prune_model import prune_model
from tasks.quantize_candidate import quantize_candidate
from tasks.record_costs import record_costs
from tasks.record_decision import record_decision
from tasks.record_reports import record_reports
from tasks.record_training import record_training
from tasks.refuse_idle import refuse_idle
from tasks.register_candidate import register_candidate
from tasks.report_quality import report_quality
from tasks.run_alone import run_alone
from tasks.select_candidate import select_candidate
from tasks.step import aside, side_by_side, watched
from tasks.sweep_artifacts import Choice
from tasks.train_aware import train_aware
from tasks.train_student import train_student


@flow(
    name="retrain",
    flow_run_name="retrain-{project.name}",
    task_runner=ThreadPoolTaskRunner(max_workers=2),  # type: ignore[arg-type]
    persist_result=False,
)
def retrain(project: Project) -> Outcome:
    """Retrain, shrink, prove, and promote if the proof holds."""
    with run_alone(project.name, flow_run.name, flow_run.id):
        close_dead_runs(project.name, flow_run.id)
        with closed_on_failure(project.name), watched() as ended:
            outcome = steps(project)
            spent = record_costs(project.name, outcome.run, ended, outcome.decision.candidate)
        if not any(step.ran for step in ended):
            get_run_logger().info("nothing changed since the last run: every step was reused")
        return outcome.model_copy(update={"spent": spent})


def steps(project: Project) -> Outcome:
    """Return what the steps came to, in the order in which they happen."""
    dataset = prepare_data(project.name, project.data)
    project, choice = settled(project, dataset)
    run = open_run(project.name, project.model_dump(mode="json"), dataset, choice)
    models, tuned, outputs = trained(project, dataset)
    again = repeated(project, models, outputs, dataset)
    recorded = aside(record_training, run, [*models, *again], tuned)
    made = exported(project, models, dataset)
    others = side_by_side(export_model, [{"model": m, "dataset": dataset} for m in again])
    recorded()  # Nothing else may run while costs are measured.
    costs = measure_costs(made, models, dataset, project.deploy)
    candidates, costs, refused = gaining(made, costs)
    reports = evaluated(candidates, costs, dataset, "valid")
    seeds = over_seeds(project, [*made, *others], run, dataset)
    about = {"choice": choice, "refused": refused, "seeds": tuple(seeds)}
    return proven(project, reports, dataset, run).model_copy(update=about)


def settled(project: Project, dataset: DatasetRef) -> tuple[Project, Choice | None]:
    """Return the project with the settings that a search chose, and why; None: there is none."""
    if not project.searches:
        return project, None
    from flows.sweep import chosen  # brings what draws and judges searches, which few runs need

    return chosen(project, dataset)


def trained(
    project: Project, dataset: DatasetRef
) -> tuple[list[TrainedModel], Tuned, TeacherOutputs]:
    """Return baseline, teacher, and every student followed by its control, where it has one.

    And how the teacher's learning rate was found, and what it says of the rows.
    """
    baseline = fit_baseline(dataset)
    unlabelled = unlabelled_of(project, dataset)
    teacher, tuned = teacher_of(project, dataset)
    outputs = lesson_by(teacher, tuned, project, dataset, unlabelled)
    calls = [
        call
        for student in sized_students(project, dataset)
        for call in trainings_of(student, project, outputs, dataset)
    ]
    models = [teacher, *side_by_side(train_student, calls)]
    models += pruned(project, models, outputs, dataset)
    return [baseline, *models, *aware(project, models, outputs, dataset)], tuned, outputs


def pruned(
    project: Project, models: list[TrainedModel], outputs: TeacherOutputs, dataset: DatasetRef
) -> list[TrainedModel]:
    """Return each pruned model followed by its control: of one shape, recovered on labels alone."""
    if not project.compress.prune:
        return []
    configs = settings_by_name(project, dataset)
    calls = [
        call
        for prune in project.compress.prune
        for call in prunings_of(prune, configs[prune.of], models, project, outputs, dataset)
    ]
    return side_by_side(prune_model, calls)


def aware(
    project: Project, models: list[TrainedModel], outputs: TeacherOutputs, dataset: DatasetRef
) -> list[TrainedModel]:
    """Return what each student and pruned model becomes when it learns with a form's rounding,
    followed by its control: what their controls become on labels alone.

    Those with zeros would lose them by it, and are left out.
    """
    forms = [(form, form.aware) for form in project.compress.quantize if form.aware]
    if not forms:
        return []
    configs, sources = settings_by_name(project, dataset), {m.name: m for m in models}
    configs |= {prune.called: configs[prune.of] for prune in project.compress.prune}
    site = {"compute": project.compute, "dataset": dataset}
    calls = [
        {
            "source": m if taught else sources[control_of(m.name)],
            "config": configs[m.name],
            "form": form.model_copy(update={"aware": passes}),
            "taught": taught,
            **site,
        }
        for m in models
        if m.role in ("student", "pruned") and not m.zeros and is_aware(configs[m.name])
        for form, asked in forms
        for passes, taught in with_control(asked, project, outputs, dataset)
    ]
    return side_by_side(train_aware, calls)


def exported(project: Project, models: list[TrainedModel], dataset: DatasetRef) -> list[Candidate]:
    """Return a bundle for each model, quantised ones for each student and pruned model.

    What was trained for a form is there in that form alone. All are calibrated if asked.
    """
    calls = [{"model": model, "dataset": dataset} for model in models if model.exports]
    floats = side_by_side(export_model, calls)
    shrunk = [
        quantize_candidate(candidate, form, dataset)
        for candidate in floats
        for form in project.compress.quantize
        if is_made(candidate, form)
    ]
    whole = [candidate for candidate in floats if not candidate.form]
    candidates = [*whole, *each_once(shrunk)]
    if project.evaluate.calibrate == "none":
        return candidates
    calls = [{"candidate": candidate, "dataset": dataset} for candidate in candidates]
    return side_by_side(calibrate_candidate, calls)


def gaining(
    candidates: list[Candidate], costs: list[Cost]
) -> tuple[list[Candidate], list[Cost], dict[str, str]]:
    """Return all but those that were made smaller and became neither smaller nor faster.

    And why each of these is refused, by name.
    """
    if not any(candidate.role in ("pruned", "compressed") for candidate in candidates):
        return candidates, costs, {}
    idle = refuse_idle(candidates, costs)
    kept = [pair for pair in zip(candidates, costs, strict=True) if pair[0].name not in idle]
    return [candidate for candidate, _ in kept], [cost for _, cost in kept], idle


def proven(
    project: Project, reports: list[EvalReport], dataset: DatasetRef, run: RunRef
) -> Outcome:
    """Choose on validation rows, look at the holdout once, decide, register, promote."""
    promote = project.promote or PromoteConfig()
    selection = select_candidate(reports, project.budget, project.gate.metric)
    standing = find_standing(project.name, project.gate, promote, selection, dataset)
    proof = proof_of(project.deploy, selection, reports, standing.asked, dataset)
    seen = [*reports, *proof]
    looked_at = (run, selection, seen, dataset, project.evaluate, project.gate.metric)
    quality = aside(report_quality, *looked_at)
    recorded = aside(record_reports, run, seen, dataset)
    decision = decide_promotion(project.gate, promote, selection, standing, proof, dataset)
    about = [r for r in (*reports, *proof) if r.candidate.sha256 == decision.candidate_sha256]
    winner = about[0].candidate
    version = register_candidate(project.name, run, dataset, about, quality(), project.deploy)
    recorded()
    promote_model(project.name, decision, winner, version, standing)
    record_decision(run, reports, project.gate, winner.name, decision, version)
    return Outcome(
        project=project.name,
        run=run,
        dataset=dataset,
        reports=tuple(reports),
        proof=tuple(proof),
        selection=selection,
        quality=quality(),
        decision=decision,
        version=version,
    )


def proof_of(
    deploy: DeployConfig,
    selection: Selection,
    reports: list[EvalReport],
    champion: Candidate | None,
    dataset: DatasetRef,
) -> list[EvalReport]:
    """Return the holdout's figures for the selected one, teacher, baseline and champion.

    The gate compares what the first and the last of these cost: they are measured side by side.
    """
    seen = {
        report.candidate.sha256: (report.candidate, report.cost)
        for report in reports
        if report.candidate.sha256 == selection.sha256
        or report.candidate.role in ("teacher", "baseline")
    }
    if champion is not None and champion.sha256 not in seen:
        pair = [seen[selection.sha256][0], champion]
        measured = zip(pair, measure_costs(pair, [], dataset, deploy), strict=True)
        seen |= {candidate.sha256: (candidate, cost) for candidate, cost in measured}
    candidates, costs = map(list, zip(*seen.values(), strict=True))
    return evaluated(candidates, costs, dataset, "test")


def evaluated(
    candidates: list[Candidate], costs: list[Cost], dataset: DatasetRef, split: Split
) -> list[EvalReport]:
    """Return a report for each candidate on the rows of `split`, two at a time."""
    return side_by_side(
        evaluate_candidate,
        [
            {"candidate": candidate, "cost": cost, "dataset": dataset, "split": split}
            for candidate, cost in zip(candidates, costs, strict=True)
        ],
    )
