"""The family tree over runs: everyone once, parents first, and what each is to the one asked."""

from tasks.promotion.family import Member, family_of, origins_of


def member(name: str, role: str, model: str, parent: str | None = None, *parents: str) -> Member:
    bundle = f"bundle of {name} {model}"
    return Member(name=name, role=role, model=model, parent=parent, parents=parents, bundle=bundle)


MEMBERS = [
    member("teacher-pruned-int8", "compressed", "p", "teacher-pruned", "p"),
    member("tfidf", "baseline", "f"),
    member("student", "student", "s", "teacher", "t"),
    member("teacher-pruned", "pruned", "p", "teacher", "t"),
    member("teacher", "teacher", "t"),
]
LATER = [
    member("teacher", "teacher", "t"),
    member("student", "student", "s2", "teacher", "t", "u"),
    member("student-int8", "compressed", "s2", "student", "s2"),
]
OF_ANOTHER_SEED = [
    member("teacher", "teacher", "u"),
    member("bag", "student", "b", "teacher", "u"),
]


def test_a_tree_holds_all_of_one_root_and_nobody_else() -> None:
    versions = {
        "bundle of teacher-pruned p": 2,
        "bundle of teacher-pruned-int8 p": 3,
        "bundle of tfidf f": 1,
    }
    found = family_of(MEMBERS, ("teacher-pruned", "p"), versions)
    assert [(r.depth, r.name, r.versions, r.standing) for r in found] == [
        (0, "teacher", (), "ancestor"),
        (1, "student", (), ""),
        (1, "teacher-pruned", (2,), "asked"),
        (2, "teacher-pruned-int8", (3,), "descendant"),
    ]


def test_a_teacher_has_its_descendants_of_every_run() -> None:
    found = family_of([*LATER, *MEMBERS], ("teacher", "t"), {})
    assert [(r.depth, r.name, r.model) for r in found] == [
        (0, "teacher", "t"),
        (1, "student", "s"),
        (1, "student", "s2"),
        (2, "student-int8", "s2"),
        (1, "teacher-pruned", "p"),
        (2, "teacher-pruned-int8", "p"),
    ]
    assert {r.standing for r in found[1:]} == {"descendant"}


def test_teachers_of_one_name_are_told_apart() -> None:
    members = [*LATER, *OF_ANOTHER_SEED]
    taught_by_one = family_of(members, ("bag", "b"), {})
    assert [(r.name, r.model, r.standing) for r in taught_by_one] == [
        ("teacher", "u", "ancestor"),
        ("bag", "b", "asked"),
        ("student", "s2", ""),
        ("student-int8", "s2", ""),
    ]
    taught_by_two = family_of(members, ("student-int8", "s2"), {})
    assert [(r.depth, r.name, r.model, r.standing) for r in taught_by_two] == [
        (0, "teacher", "t", "ancestor"),
        (1, "student", "s2", "ancestor"),
        (2, "student-int8", "s2", "asked"),
        (0, "teacher", "u", "ancestor"),
        (1, "bag", "b", ""),
    ]


def test_one_goes_back_to_teachers_that_no_run_holds_too() -> None:
    assert origins_of(LATER, ("student-int8", "s2")) == {"t", "u"}
    assert origins_of(MEMBERS, ("tfidf", "f")) == {"f"}


def test_weights_that_were_exported_anew_have_both_versions() -> None:
    again = MEMBERS[2].model_copy(update={"bundle": "another"})
    versions = {"bundle of student s": 1, "another": 4}
    found = family_of([again, *MEMBERS], ("student", "s"), versions)
    assert [r.versions for r in found if r.name == "student"] == [(1, 4)]


def test_a_model_without_relatives_is_its_own_tree() -> None:
    assert [relative.name for relative in family_of(MEMBERS, ("tfidf", "f"), {})] == ["tfidf"]


def test_teachers_that_no_run_holds_are_told_by_their_digests() -> None:
    found = family_of(LATER[:2], ("student", "s2"), {})
    assert [(r.depth, r.name, r.role, r.model, r.standing) for r in found] == [
        (0, "teacher", "teacher", "t", "ancestor"),
        (1, "student", "student", "s2", "asked"),
        (0, "teacher", "teacher", "u", "ancestor"),
    ]
