"""MLflow's aliases follow the ledger: `champion`, and `challenger` for what waits."""

from infra import registry
from infra.storage import open_storage
from tasks.promotion.entries import Chain
from tasks.promotion.ledger import Ledger

ROUNDS = 5


def mirror_aliases(project: str) -> dict[str, int | None]:
    """Let the aliases say what the ledger says; the version of each.

    Two that do this at once could leave an old answer, so the ledger is read again afterwards.
    """
    ledger = Ledger(open_storage(), project)
    wanted: dict[str, int | None] = {}
    for _ in range(ROUNDS):
        last, wanted = wanted, _wanted(ledger.mended())
        if wanted == last:
            break
        for alias, version in wanted.items():
            if registry.alias_version(project, alias) != version:
                _set(project, alias, version)
    return wanted


def _wanted(chain: Chain) -> dict[str, int | None]:
    pending = chain.pending()
    champion = chain.seat.version if chain.seat else None
    return {"champion": champion, "challenger": pending.version if pending else None}


def _set(project: str, alias: str, version: int | None) -> None:
    if version is None:
        registry.delete_alias(project, alias)
    else:
        registry.set_alias(project, alias, version)
