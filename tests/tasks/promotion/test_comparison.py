from tasks.promotion.comparison import LATENCY, QUALITIES, SIZE, Seen, compare


def seen(name: str, quality: float, latency: float, size: float) -> Seen:
    figures = {QUALITIES[0]: quality, LATENCY: latency, SIZE: size}
    return Seen(name=name, role="student", bundle=f"sha-{name}", metrics=figures)


def test_rows_are_marked_and_sorted_by_quality() -> None:
    runs = [seen("slow", 0.7, 9, 9), seen("good", 0.8, 5, 5), seen("fast", 0.75, 1, 1)]
    unfinished = Seen(name="x", role="student", bundle="", metrics={QUALITIES[0]: 0.9})
    rows = compare([*runs, unfinished], "sha-fast", "good", {"sha-fast": 3})
    assert [(row.name, row.mark, row.pareto, row.version) for row in rows] == [
        ("good", "selected", True, None),
        ("fast", "champion", True, 3),
        ("slow", "", False, None),
    ]
