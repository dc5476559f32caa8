from training.observer import NOBODY, Observers, Position

POSITION = Position(epoch=1, epochs=2, step=3, steps=4, loss=0.5)


class Noting:
    def __init__(self, name: str, notes: list[tuple[str, object]]) -> None:
        self.name = name
        self.notes = notes

    def step(self, position: Position) -> None:
        self.notes.append((self.name, position))

    def epoch(self, row: dict[str, float]) -> None:
        self.notes.append((self.name, row))


def test_all_are_told_in_turn() -> None:
    notes: list[tuple[str, object]] = []
    both = Observers((Noting("a", notes), NOBODY, Noting("b", notes)))
    both.step(POSITION)
    both.epoch({"epoch": 1})
    assert notes == [("a", POSITION), ("b", POSITION), ("a", {"epoch": 1}), ("b", {"epoch": 1})]
