from services.dashboard.training_confusion import matrices
from shared.runs import Confusion


def confusion(**counts: list[list[int]]) -> Confusion:
    return Confusion(epoch=3, labels=("happy", "sad"), counts=counts)


def test_each_truth_has_its_table_with_counts_and_recall() -> None:
    html = matrices(confusion(label=[[1500, 500], [0, 0]], majority=[[3, 0], [1, 0]]))
    assert html.count("<table") == 2
    assert "labels · 2,000 pictures, 75.0 % right" in html
    assert "FER+ majority · 4 pictures, 75.0 % right" in html
    assert 'title="happy taken for sad: 500 of 2,000"' in html
    assert "<td>75 %</td></tr>" in html
    assert "<td>–</td></tr>" in html


def test_the_shade_follows_the_share_of_the_row() -> None:
    html = matrices(confusion(label=[[1, 3], [4, 0]]))
    assert [part.split("%")[0] for part in html.split("#0072b2 ")[1:]] == ["14", "41", "55", "0"]


def test_without_pictures_nothing_is_right() -> None:
    assert "0 pictures, none" in matrices(confusion(label=[[0, 0], [0, 0]]))


def test_text_from_outside_is_escaped() -> None:
    hostile = "<b>\"'"
    html = matrices(Confusion(epoch=1, labels=(hostile,), counts={hostile: [[1]]}))
    assert hostile not in html
    assert "&lt;b&gt;" in html
