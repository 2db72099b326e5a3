"""`modelworks up`, `down`, `status`, `doctor`, `logs`, `env`: the services on this machine."""

import dataclasses
import shlex
import time
from collections import deque
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from flows.cli.console import answer_json, out, say
from flows.cli.session import HOME_NAME, existing_home, reach
from infra import stack
from infra.environment import environment, find_home
from infra.stack.doctor import Finding, examine, open_listeners
from infra.stack.services import SERVICES

app = typer.Typer()
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
ADDRESSES = {
    "mlflow": "MLFLOW_TRACKING_URI",
    "prefect": "PREFECT_API_URL",
    "s3": "AWS_ENDPOINT_URL_S3",
    "ray": "RAY_ADDRESS",
}


@app.command()
def up(
    new_ports: Annotated[
        bool, typer.Option("--new-ports", help="Choose another free block of ports.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start the services; those that run are left alone."""
    home = find_home()
    say(f"home  {home}" if home else f"home  {Path.cwd() / HOME_NAME} (new)")
    home = home or Path.cwd() / HOME_NAME
    began = time.monotonic()
    stack.start(home, lambda line: say(f"  {line}"), new_ports=new_ports)
    seconds = round(time.monotonic() - began, 1)
    addresses = _addresses(home)
    if as_json:
        answer_json({"home": home, "seconds": seconds, "addresses": addresses})
        return
    for name, address in addresses.items():
        out.print(f"{name:8} {address}", highlight=False)
    out.print(f"up in {seconds} s; `modelworks env` prints what clients need", highlight=False)


@app.command()
def down(as_json: AsJson = False) -> None:
    """Stop the services; no process and no port is left."""
    home = _named_home()
    began = time.monotonic()
    stack.stop(home)
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        answer_json({"home": home, "seconds": seconds})
    else:
        out.print(f"down in {seconds} s", highlight=False)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show each service: whether it answers, its process, port and memory."""
    home = _named_home()
    found = stack.status(home)
    is_ready = all(each.state == "ready" for each in found)
    if as_json:
        services = [dataclasses.asdict(each) for each in found]
        answer_json({"home": home, "ready": is_ready, "services": services})
    else:
        out.print(_table(found))
    if not is_ready:
        say(stack.explain(home) or "")
        raise typer.Exit(1)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what is wrong and the command that mends it; list what other hosts can reach."""
    home = _named_home()
    findings = examine(home)
    reachable = open_listeners(home)
    if as_json:
        answer_json(
            {
                "home": home,
                "findings": [dataclasses.asdict(each) for each in findings],
                "reachable": [dataclasses.asdict(each) for each in reachable],
            }
        )
    else:
        _print_findings(findings)
        for each in reachable:
            guard = "; Ray's token guards it" if each.process.startswith(("ray", "gcs")) else ""
            out.print(
                f"reachable from other hosts: {each.address}:{each.port} "
                f"({each.process}, pid {each.pid}){guard}",
                highlight=False,
            )
    if findings:
        raise typer.Exit(1)


@app.command()
def env(as_json: AsJson = False) -> None:
    """Print shell lines that point plain clients here: eval "$(modelworks env)"."""
    variables = environment(_named_home())
    if as_json:
        answer_json(variables)
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def logs(
    name: Annotated[
        str, typer.Argument(help="postgres, s3, mlflow, prefect, ray or worker; or a run.")
    ],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the end of a service's log, or of a run's (its id, its name or its project)."""
    home = _named_home()
    is_service = name in [each.name for each in SERVICES]
    last = _service_lines(home, name, lines) if is_service else _run_lines(home, name)[-lines:]
    if as_json:
        answer_json({"name": name, "lines": last})
        return
    for line in last:
        typer.echo(line)


def _service_lines(home: Path, service: str, lines: int) -> list[str]:
    file = home / "logs" / f"{service}.log"
    if not file.exists():
        raise ValueError(f"{service} has no log yet ({file}); `modelworks up` starts it")
    with file.open(encoding="utf-8", errors="replace") as stream:
        return [line.rstrip("\n") for line in deque(stream, maxlen=lines)]


def _run_lines(home: Path, run: str) -> list[str]:
    reach(home)
    from flows.runs import find_run, log_lines  # Prefect reads its settings at import

    return log_lines(find_run(run)["id"])


def _named_home() -> Path:
    home = existing_home()
    say(f"home  {home}")
    return home


def _addresses(home: Path) -> dict[str, str]:
    variables = environment(home)
    return {name: variables[variable] for name, variable in ADDRESSES.items()}


def _table(found: list[stack.ServiceStatus]) -> Table:
    table = Table()
    for column in ("service", "state", "pid", "port", "memory"):
        table.add_column(column, justify="left" if column in ("service", "state") else "right")
    for each in found:
        memory = f"{each.memory_bytes / 2**20:.0f} MiB" if each.memory_bytes else ""
        table.add_row(each.name, each.state, str(each.pid or ""), str(each.port), memory)
    total = sum(each.memory_bytes for each in found) / 2**20
    table.add_row("in all", "", "", "", f"{total:.0f} MiB", style="bold")
    return table


def _print_findings(findings: list[Finding]) -> None:
    if not findings:
        out.print("all is well")
    for each in findings:
        say(f"{each.problem}")
        say(f"  mend it: {each.mend}")
