"""Where the world is: read from the environment, nowhere else."""

import functools
import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.environment import find_home

Quantity = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A price or a power."""


class Settings(BaseSettings):
    """Addresses and credentials of the services, by the names that their own clients use."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=True)

    home: Path = Field(validation_alias="MODELWORKS_HOME")
    bucket: str = Field(default="modelworks", validation_alias="MODELWORKS_BUCKET")
    database_url: SecretStr = Field(validation_alias="MODELWORKS_DATABASE_URL")
    s3_endpoint: str = Field(validation_alias="AWS_ENDPOINT_URL_S3")
    s3_access_key: SecretStr = Field(validation_alias="AWS_ACCESS_KEY_ID")
    s3_secret_key: SecretStr = Field(validation_alias="AWS_SECRET_ACCESS_KEY")
    s3_region: str = Field(default="us-east-1", validation_alias="AWS_DEFAULT_REGION")
    mlflow_uri: str = Field(validation_alias="MLFLOW_TRACKING_URI")
    mlflow_username: str = Field(validation_alias="MLFLOW_TRACKING_USERNAME")
    mlflow_password: SecretStr = Field(validation_alias="MLFLOW_TRACKING_PASSWORD")
    prefect_api_url: str = Field(validation_alias="PREFECT_API_URL")
    prefect_auth: SecretStr = Field(validation_alias="PREFECT_API_AUTH_STRING")
    ray_address: str = Field(validation_alias="RAY_ADDRESS")
    ray_auth_mode: str = Field(default="token", validation_alias="RAY_AUTH_MODE")
    ray_token_path: Path | None = Field(default=None, validation_alias="RAY_AUTH_TOKEN_PATH")

    price_cpu_hour: Quantity = Field(default=0.0, validation_alias="MODELWORKS_PRICE_CPU_HOUR")
    """Money for an hour of one core, in whatever currency; 0 where nobody is billed."""
    price_gpu_hour: Quantity = Field(default=0.0, validation_alias="MODELWORKS_PRICE_GPU_HOUR")
    """Money for an hour of one GPU."""
    watts_cpu_core: Quantity = Field(default=12.0, validation_alias="MODELWORKS_WATTS_CPU_CORE")
    """What a busy core draws. The default is that of Green Algorithms for a core of any kind
    (doi:10.1002/advs.202100707, its table `TDP_cpu.csv`)."""
    watts_gpu: Quantity = Field(default=200.0, validation_alias="MODELWORKS_WATTS_GPU")
    """What a busy GPU draws. The default is that of Green Algorithms for a GPU of any kind
    (its table `TDP_gpu.csv`)."""


def sql_url(name: str) -> str:
    """The SQLAlchemy URL of the database that projects call `sql://<name>`.

    From MODELWORKS_SQL_<NAME>, else the file `secrets/sql_<name>` of the home. Raises ValueError
    when there is neither, or others may read the file.
    """
    variable = f"MODELWORKS_SQL_{name.upper()}"
    if url := os.environ.get(variable):
        return url
    home = find_home()
    file = home / "secrets" / f"sql_{name.lower()}" if home else None
    if file is None or not file.is_file():
        where = f" or written to {file} (mode 0600)" if file else ""
        raise ValueError(
            f"data.source 'sql://{name}': {variable} must be set to its SQLAlchemy URL{where}"
        )
    if file.stat().st_mode & 0o077:
        raise ValueError(f"{file}: others may read it, mode 0600 was expected (chmod 600)")
    return file.read_text().strip()


@functools.cache
def load_settings() -> Settings:
    """Settings of this process; ValueError names what is missing, or a figure that is none."""
    try:
        return Settings()
    except ValidationError as error:
        for part in error.errors():
            if part["type"] != "missing":
                raise ValueError(_refusal(part["loc"][0], part["input"])) from None
        names = ", ".join(str(part["loc"][0]) for part in error.errors())
        message = (
            f"{names} must be set in the environment; "
            '`modelworks up` starts the services and `eval "$(modelworks env)"` sets them'
        )
        raise ValueError(message) from None


def _refusal(name: object, value: object) -> str:
    return f"{name} {str(value)!r}: a finite number of at least 0 was expected"
