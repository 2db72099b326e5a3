"""Settings of a training that nothing reads, where they stand or are varied."""

from collections.abc import Iterator

from flows.project import Project
from flows.sweep_target import model_of
from tasks.training.technique import READ_BY, Technique


def unread(project: Project) -> Iterator[tuple[str, str]]:
    """(dotted name, why it has no effect) of each setting that is not the usual one."""
    for root in ("teacher", *(f"students.{place}" for place in range(len(project.students)))):
        model = model_of(project, root)
        for field in READ_BY if isinstance(model, Technique) else ():
            is_usual = getattr(model, field) == type(model).model_fields[field].default
            if not is_usual and (why := why_unread(f"{root}.{field}", project)):
                yield f"{root}.{field}", why


def why_unread(name: str, project: Project) -> str:
    """Why a field of a model has no effect; nothing when it has one, in some trial at least."""
    root, _, field = name.rpartition(".")
    model = model_of(project, root) if field in READ_BY else None
    if not isinstance(model, Technique):
        return ""
    reader, readers = READ_BY[field]
    there = _values(root, reader, model, project)
    if varied := project.sweep.space.get(name):
        beside = project.sweep.space.get(f"{root}.{reader}")
        if beside and not beside.when:
            there = there[1:]  # no trial has what the file says
        there = varied.when.get(f"{root}.{reader}", there)
    if set(there) & set(readers):
        return ""
    found = ", ".join(map(str, there))
    return f"read by {reader} {' and '.join(readers)} alone, not by {found}; leave it out"


def _values(root: str, reader: str, model: Technique, project: Project) -> tuple[object, ...]:
    """What the file says of a field, and all that a search tries of it."""
    varied = project.sweep.space.get(f"{root}.{reader}")
    tried = project.sweep.schedules if (root, reader) == ("teacher", "schedule") else ()
    return (getattr(model, reader), *(varied.corners if varied else tried))
