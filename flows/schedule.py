"""Put a project on a clock: one Prefect deployment, run by the worker that is part of the stack."""

from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import construct_schedule
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType
from pydantic import ValidationError

from flows.project import Project
from flows.retrain import retrain

WORK_POOL = "modelworks"


def put_on_schedule(project: Project) -> dict[str, Any]:
    """Make or replace the deployment of `project`; return its id, name, cron and time zone.

    Raises `ValueError` while the project file leaves open when to run or who must approve.
    """
    clock = _checked(project)
    deployment = RunnerDeployment.from_flow(
        retrain,
        name=project.name,
        schedules=[Cron(clock["cron"], timezone=clock["timezone"])],
        parameters={"project": project.model_dump(mode="json")},
        # A night that takes longer than a day must not start a second one beside it.
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        work_pool_name=WORK_POOL,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return {"deployment_id": str(deployment.apply()), "deployment": project.name, **clock}


def _checked(project: Project) -> dict[str, str]:
    if project.schedule is None:
        raise ValueError(
            f"{project.name}: schedule: missing; write schedule: {{cron: '0 3 * * *'}}"
        )
    if project.promote is None:
        raise ValueError(
            f"{project.name}: promote: missing; a schedule starts only once the file says who "
            "approves: promote: {approval: none} or {approval: one}"
        )
    cron, timezone = project.schedule.cron, project.schedule.timezone
    try:
        construct_schedule(cron=cron, timezone=timezone)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{project.name}: schedule: {cron!r}, {timezone!r}: {reason}") from None
    return {"cron": cron, "timezone": timezone}
