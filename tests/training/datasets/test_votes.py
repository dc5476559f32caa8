from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.emotions import EMOTIONS
from shared.errors import DataError
from tests.training.conftest import write_votes
from training.datasets.labels import EIGHT
from training.datasets.votes import Votes, read_votes

CHOICES = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
ANY_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def votes_of(*rows: dict[str, int], total: int = 10) -> Votes:
    counts = np.array([[row.get(label, 0) for label in EIGHT] for row in rows], np.int64)
    return Votes(counts, np.full(len(rows), total))


def test_votes_follow_the_order_of_the_names(tmp_path: Path) -> None:
    rows = {
        "train/sad/a.png": {"sadness": 6, "neutral": 3, "contempt": 1},
        "train/happy/a.png": {"happiness": 9, "NF": 1},
    }
    votes = read_votes(write_votes(tmp_path / "votes.csv", rows), ["train/happy/a.png", "train/sad/a.png"])
    assert votes.counts.tolist() == [[0, 0, 0, 9, 0, 0, 0, 0], [0, 0, 0, 0, 3, 6, 0, 1]]
    assert votes.total.tolist() == [10, 10]


def test_the_original_file_goes_by_the_rows_of_the_original_table(tmp_path: Path) -> None:
    # A picture without a face has no name there.
    lines = [
        f"Usage,Image name,{CHOICES}",
        "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0",
        "Training,,0,0,0,0,0,0,0,0,0,10",
        "PublicTest,fer0000002.png,0,7,0,0,0,0,1,2,0,0",
    ]
    (tmp_path / "fer2013new.csv").write_text("\n".join(lines) + "\n")
    names = ["PublicTest/fer0000002.png", "Training/fer0000000.png", "Training/fer0000001.png"]
    votes = read_votes(tmp_path / "fer2013new.csv", names)
    assert votes.counts.tolist() == [
        [0, 0, 1, 7, 0, 0, 0, 2],
        [3, 2, 0, 0, 4, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]
    with pytest.raises(DataError, match=r"no votes for train/sad/a\.png \(FER\+'s own file goes with"):
        read_votes(tmp_path / "fer2013new.csv", ["train/sad/a.png"])


def test_majority_needs_more_than_half_of_all_votes() -> None:
    votes = votes_of({"sad": 5}, {"sad": 6}, {"neutral": 4}, {"contempt": 6, "neutral": 4})
    sad, neutral = EMOTIONS.index("sad"), EMOTIONS.index("neutral")
    assert votes.majority().tolist() == [-1, sad, -1, -1]
    assert votes.majority(EIGHT).tolist() == [-1, sad, -1, 7]
    assert votes_of({"neutral": 4}, total=7).majority().tolist() == [neutral]


def test_labels_are_counted_by_name() -> None:
    votes = votes_of({"sad": 6, "neutral": 3, "contempt": 1})
    backwards = tuple(reversed(EIGHT))
    assert votes.majority(backwards).tolist() == [backwards.index("sad")]
    assert votes.counts_of(backwards).tolist() == [[1, 0, 6, 3, 0, 0, 0, 0]]


def test_shares_are_of_the_votes_for_these_labels() -> None:
    votes = votes_of({"sad": 6, "neutral": 2, "contempt": 2}, {})
    assert votes.shares().tolist() == [[0, 0, 0, 0, 0.25, 0.75, 0], [0] * 7]
    eight = votes.shares(EIGHT)
    np.testing.assert_allclose(eight[0], [0, 0, 0, 0, 0.2, 0.6, 0, 0.2])
    assert eight.dtype == np.float32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,anger\n", "lacks the columns NF, contempt, disgust"),
        ("Usage,anger\n", "lacks the columns NF, contempt, disgust"),
        ("", "lacks the columns"),
    ],
)
def test_votes_without_their_columns(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "votes.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_votes(tmp_path / "votes.csv", [])


@pytest.mark.parametrize("count", ["six", "", "-6", "0.5", "99999999999999999999"])
def test_votes_that_are_no_counts(tmp_path: Path, count: str) -> None:
    file = write_votes(tmp_path / "votes.csv", {"train/sad/a.png": {"sadness": 6}})
    file.write_text(file.read_text().replace("6", count))
    with pytest.raises(DataError, match=r"votes\.csv cannot be read as votes"):
        read_votes(file, [])


def test_votes_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"votes\.csv cannot be read as votes"):
        read_votes(tmp_path / "votes.csv", [])
    file = write_votes(tmp_path / "votes.csv", {"train/sad/a.png": {"sadness": 6}})
    with pytest.raises(DataError, match=r"has no votes for train/sad/b\.png$"):
        read_votes(file, ["train/sad/a.png", "train/sad/b.png"])


@ANY_FILE
@given(st.lists(st.lists(st.integers(0, 2**31 - 1), min_size=10, max_size=10), max_size=5))
def test_what_was_written_is_read(tmp_path: Path, rows: list[list[int]]) -> None:
    file = tmp_path / "votes.csv"
    lines = [f"path,{CHOICES}", *(f"{name},{','.join(map(str, row))}" for name, row in enumerate(rows))]
    file.write_text("\n".join(lines) + "\n")
    votes = read_votes(file, [str(name) for name in range(len(rows))])
    assert votes.total.tolist() == [sum(row) for row in rows]
    neutral, contempt = EIGHT.index("neutral"), EIGHT.index("contempt")
    assert votes.counts[:, [neutral, contempt]].tolist() == [[row[0], row[7]] for row in rows]


@ANY_FILE
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"path,{CHOICES}\n{text}".encode()))
def test_anything_else_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "votes.csv"
    file.write_bytes(content)
    try:
        assert read_votes(file, []).counts.shape == (0, 8)
    except DataError as error:
        assert str(error).startswith(str(file))  # noqa: PT017 - an error may come or not


@pytest.mark.shared
def test_fer_plus_has_a_majority_for_2854_public_test_pictures(shared_data: Path) -> None:
    file = shared_data / "ferplus_votes.csv"
    names = [line.split(",")[0] for line in file.read_text().splitlines() if line.startswith("test/")]
    assert len(names) == 3589
    assert (read_votes(file, names).majority() >= 0).sum() == 2854
