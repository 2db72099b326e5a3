"""What a control is called: the same model, trained as long, that nobody taught."""

from tasks.artifacts import Role

CONTROL = "-control"
"""Behind the name of the model that it is compared to."""


def named(name: str, role: Role, *, is_control: bool) -> tuple[str, Role]:
    """Return name and role of a model, or those of its control."""
    return (control_of(name), "control") if is_control else (name, role)


def control_of(name: str) -> str:
    """Return what the control of a model is called."""
    return name + CONTROL
