"""The embedded services: PostgreSQL, S3, MLflow, Prefect and Ray on one machine."""

from infra.stack.errors import StackError
from infra.stack.lifecycle import is_up, start, stop
from infra.stack.status import ServiceStatus, explain, status

__all__ = ["ServiceStatus", "StackError", "explain", "is_up", "start", "status", "stop"]
