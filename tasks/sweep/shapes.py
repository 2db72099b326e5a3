"""What a search for a smaller model varies where the project says `compress: auto`.

The project file says how large the model may be: its sizes, and fractions of them, are tried, with
how it is taught, at which rate, and in which form it is deployed. Importing this loads no torch.
"""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.sweep.space import Dimension, Space
from tasks.sweep.target import DISTIL, QUANTIZE
from tasks.training.architectures import OnEncoder, StudentConfig
from tasks.training.config import TrainConfig

SIZES = ("width", "feed_forward", "hidden", "filters", "vocab_size", "buckets")
"""Fields of which less is smaller: all, a half and a quarter of what the file says is tried, of a
list of each of them alike."""
DEPTHS = ("layers", "blocks")
"""Of which every number down to one is tried, at most the deepest so many."""
MOST_DEPTHS = 4
FEWER_PIECES = (1, 2, 4)
"""Of a vocabulary that the rows cut: how many times rarer a piece may be before it is left out."""
RATE_FACTOR = 3.0
"""Highest rate against the usual one, and the usual one against the lowest."""
TAUGHT = {
    f"{DISTIL}.temperature": Dimension(choice=(1.0, 2.0, 4.0)),
    f"{DISTIL}.weight": Dimension(choice=(0.5, 0.8, 1.0)),
}
FORMS = Dimension(choice=("int8", "int8-int4", "none"))


def shapes_of(settings: dict[str, Any], place: int) -> Space:
    """The space around one student, `students.<place>`, as its file has it.

    Raises `ValidationError` for settings that are no student's.
    """
    of: TypeAdapter[Any] = TypeAdapter(StudentConfig)
    model = of.validate_python(settings)
    if not isinstance(model, TrainConfig):
        raise ValueError(
            f"compress auto: {model.model} of {model.name} is not trained by steps, so its shape "
            "cannot be searched; name a network first in students"
        )
    root, space = f"students.{place}", Space()
    for name, values in _sizes(model).items():
        allowed = tuple(value for value in values if _is_allowed(of, model, name, value))
        if len(allowed) > 1:
            space[f"{root}.{name}"] = Dimension(choice=allowed)
    rate = model.first_lr if model.lr == "auto" else model.lr
    space[f"{root}.lr"] = Dimension(log=(rate / RATE_FACTOR, rate * RATE_FACTOR))
    return {**space, **(TAUGHT if model.is_taught else {}), QUANTIZE: FORMS}


def _sizes(model: TrainConfig) -> dict[str, list[Any]]:
    """The values of each of the model's sizes, its own first."""
    own = {name: getattr(model, name, None) for name in (*DEPTHS, *SIZES)}
    if "generation" in model.tasks:
        del own["vocab_size"]  # its tokens are its teacher's
    found = {
        name: [_divided(value, by) for by in (1, 2, 4)]
        for name, value in own.items()
        if isinstance(value, int | tuple)
    }
    for name in DEPTHS:
        if isinstance(deepest := own[name], int):
            found[name] = list(range(deepest, max(0, deepest - MOST_DEPTHS), -1))
    if isinstance(model, OnEncoder) and model.min_count is not None:
        found["min_count"] = [model.min_count * factor for factor in FEWER_PIECES]
    return found


def _divided(size: int | tuple[int, ...], by: int) -> Any:
    """The size, or each of several, a half or a quarter as large."""
    return tuple(part // by for part in size) if isinstance(size, tuple) else size // by


def _is_allowed(of: TypeAdapter[Any], model: TrainConfig, name: str, value: Any) -> bool:
    try:
        of.validate_python(model.model_dump(mode="json") | {name: value})
    except ValidationError:
        return False
    return True
