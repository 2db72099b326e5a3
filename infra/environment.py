"""Where the home is, and the variables that point clients at its stack."""

import os
import sys
from pathlib import Path

from infra.home import USER, Home, open_home

FOLDER = ".modelworks"
REGION = "us-east-1"
QUIET = {
    "AWS_EC2_METADATA_DISABLED": "true",
    # Stores other than AWS dislike the checksum that boto3 adds to every request by default.
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    # 2 + 4 + 8 + 16 + 32 s: a server that is started again within a minute goes unnoticed.
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "7",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLIENT_MAX_RETRIES": "8",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # Without it a client that finds no server silently starts one of its own.
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS": "0",
    # The default of 2 s is what every `report()` waits for.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1",
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TOKENIZERS_PARALLELISM": "false",
}


def find_home(start: Path | None = None) -> Path | None:
    """`MODELWORKS_HOME`, else the nearest `.modelworks/` upwards, else None."""
    if named := os.environ.get("MODELWORKS_HOME"):
        return Path(named).expanduser().absolute()
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return None


def environment(home: Path) -> dict[str, str]:
    """Variables that point every client at this home's stack; ValueError when it has none."""
    opened = open_home(home)
    return {
        **QUIET,
        "MODELWORKS_HOME": str(opened.path),
        "MODELWORKS_BUCKET": "modelworks",
        "MODELWORKS_DATABASE_URL": database_url(opened, "modelworks", "postgresql+psycopg2"),
        **_storage_variables(opened),
        **_server_variables(opened),
        **ray_variables(opened),
    }


def database_url(home: Home, database: str, driver: str) -> str:
    """SQLAlchemy URL of one database of this home."""
    password = home.secret("postgres")
    return f"{driver}://{USER}:{password}@127.0.0.1:{home.port('postgres')}/{database}"


def ray_variables(home: Home) -> dict[str, str]:
    """What a Ray client needs, and the head, whose workers inherit it."""
    return {
        # All ranks are on this host: the loopback interface has no name to look up.
        "GLOO_SOCKET_IFNAME": "lo" if sys.platform.startswith("linux") else "lo0",
        "RAY_ADDRESS": f"127.0.0.1:{home.port('ray')}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(home.secret_file("ray")),
        # Loopback instead of a network card's address, for the head's listeners and for clients.
        # The name is about other systems; what it switches is the choice of this node's address.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }


def _storage_variables(home: Home) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": home.secret("s3_access_key"),
        "AWS_SECRET_ACCESS_KEY": home.secret("s3_secret_key"),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{home.port('s3')}",
    }


def _server_variables(home: Home) -> dict[str, str]:
    return {
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{home.port('mlflow')}",
        "MLFLOW_TRACKING_USERNAME": USER,
        "MLFLOW_TRACKING_PASSWORD": home.secret("mlflow"),
        "PREFECT_API_URL": f"http://127.0.0.1:{home.port('prefect')}/api",
        "PREFECT_API_AUTH_STRING": f"{USER}:{home.secret('prefect')}",
        "PREFECT_HOME": str(home.path / "prefect"),
    }
