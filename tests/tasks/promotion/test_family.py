"""The family tree of one run: everyone once, parents first, and what each is to the one asked."""

from tasks.promotion.family import Member, family_of

MEMBERS = [
    Member(name="teacher-pruned-int8", role="compressed", parent="teacher-pruned", bundle="d"),
    Member(name="tfidf", role="baseline", parent=None, bundle="e"),
    Member(name="student", role="student", parent="teacher", bundle="b"),
    Member(name="teacher-pruned", role="pruned", parent="teacher", bundle="c"),
    Member(name="teacher", role="teacher", parent=None, bundle="a"),
]


def test_a_tree_holds_all_of_one_root_and_nobody_else() -> None:
    found = family_of(MEMBERS, "teacher-pruned", {"c": 2, "d": 3, "e": 1})
    assert [(r.depth, r.name, r.version, r.standing) for r in found] == [
        (0, "teacher", None, "ancestor"),
        (1, "student", None, ""),
        (1, "teacher-pruned", 2, "asked"),
        (2, "teacher-pruned-int8", 3, "descendant"),
    ]


def test_a_model_without_relatives_is_its_own_tree() -> None:
    assert [relative.name for relative in family_of(MEMBERS, "tfidf", {})] == ["tfidf"]


def test_a_parent_that_the_run_does_not_know_is_no_ancestor() -> None:
    alone = [Member(name="student", role="student", parent="gone")]
    assert [relative.depth for relative in family_of(alone, "student", {})] == [0]
