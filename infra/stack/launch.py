"""Becomes one service: the process manager runs this file, and it turns into the real program.

Only the standard library and only this file, so that it costs nothing: command, environment and
folder come from `run/services.json`, which keeps secrets out of argv and spares the process
manager's configuration every question of quoting.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Replace this process by the service named on the command line."""
    services = json.loads((Path(os.environ["MODELWORKS_STACK"]) / "run/services.json").read_text())
    service = services[sys.argv[1]]
    os.chdir(service["folder"])
    command = service["command"]
    os.execvpe(command[0], command, service["environment"])  # noqa: S606


if __name__ == "__main__":
    main()
