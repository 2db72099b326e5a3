"""What a project file says about how students are taught."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator


class DistilConfig(BaseModel):
    """Learning from the teacher's softened answers (Hinton et al. 2015, arXiv:1503.02531), and from
    how it sees the rows before its last layer."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    temperature: Annotated[float, Field(gt=0, le=20)] = 2.0
    weight: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Share of the teacher's term in the loss; the labels have the rest."""
    teachers: Annotated[int, Field(ge=1, le=8)] = 1
    """So many teachers, alike but for their seeds: the mean of their softened answers is what is
    learned from (arXiv:1503.02531, section 5), and of their hints of tokens."""
    teacher_weights: Literal["equal", "by_quality"] = "equal"
    """`by_quality`: the shares of those means by which the answers are nearest to the validation
    rows' labels (stacking, Breiman 1996)."""
    features: Annotated[float, Field(ge=0)] = 0.0
    """Added weight of the student's features, projected, against the teacher's, in squared standard
    deviations (FitNets, arXiv:1412.6550)."""
    relations: Annotated[float, Field(ge=0)] = 0.0
    """Added weight of distances and angles between a batch's rows, as the student and the teacher
    see them (relational distillation, arXiv:1904.05068)."""
    hidden: Annotated[float, Field(ge=0)] = 0.0
    """Added weight of the states of every token, projected, layer by layer and of the embeddings,
    against the teacher's (TinyBERT, arXiv:1909.10351). Of transformers of text that share a
    tokenizer, as are the next two; each teacher reads along, so that memory and time of a step
    grow with `teachers`."""
    attention: Annotated[float, Field(ge=0)] = 0.0
    """Added weight of attention before its softmax, layer by layer, of models with as many heads
    (TinyBERT)."""
    token_relations: Annotated[float, Field(ge=0)] = 0.0
    """Added weight of how queries, keys and values of a row's tokens lie to each other in the last
    layers, whatever the widths (MiniLM, arXiv:2002.10957 and arXiv:2012.15828)."""
    layer_map: Literal["uniform", "top", "bottom"] = "uniform"
    """Of `hidden` and `attention`: a student's layers learn from the teacher's spread evenly, from
    its last ones or from its first."""
    unlabelled: str | None = None
    """A source of rows without labels, read as data.source is: a path or `package://NAME/FILE` with
    the columns of data.inputs. The teacher answers them, students learn its answers alone; controls
    and the teacher never see them, and copies of held-out rows go."""
    most_unlabelled: PositiveInt | None = None
    """At most so many of them, spread evenly over those that can be used."""
    made_rows: Annotated[int, Field(ge=0, le=50)] = 0
    """So many rows made of each training row, learned from like unlabelled ones: a text loses and
    changes words, is a few words of one, or parts of two (arXiv:1903.12136, arXiv:1909.10351); a
    table's row takes cells of other rows."""

    @model_validator(mode="after")
    def _weighs_several(self) -> Self:
        if self.teacher_weights == "by_quality" and self.teachers == 1:
            raise ValueError("teacher_weights by_quality is of several teachers, teachers is 1")
        return self

    @model_validator(mode="after")
    def _uses_what_is_set(self) -> Self:
        if self.layer_map != "uniform" and not (self.hidden or self.attention):
            raise ValueError(f"layer_map {self.layer_map} is of hidden and attention, both are 0")
        if self.most_unlabelled is not None and self.unlabelled is None:
            raise ValueError(
                f"most_unlabelled {self.most_unlabelled} is of a source of unlabelled rows, and "
                "there is none"
            )
        return self

    @property
    def has_hints(self) -> bool:
        """Whether more is learned of the teacher than its answers."""
        return self.features > 0 or self.relations > 0

    @property
    def has_token_hints(self) -> bool:
        """Whether the teachers read along."""
        return self.hidden > 0 or self.attention > 0 or self.token_relations > 0

    @property
    def has_unlabelled(self) -> bool:
        """Whether students learn from rows that have no label."""
        return self.unlabelled is not None or self.made_rows > 0

    @model_validator(mode="after")
    def _teaches_what_has_no_label(self) -> Self:
        if self.has_unlabelled and self.weight == 0:
            raise ValueError(
                "weight 0: unlabelled and made_rows are learned from the teacher alone, whose "
                "weight must be above 0"
            )
        return self
