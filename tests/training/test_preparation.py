from pathlib import Path

import msgspec
import numpy as np
import pytest

from shared.emotions import EMOTIONS
from shared.errors import DataError
from shared.poster.config import ModelConfig
from tests.training.conftest import write_corrections, write_picture, write_tree, write_votes
from tests.training.datasets.tables import write_folders
from tests.training.datasets.test_alignment import Turned
from tests.training.tiny import tiny_config
from training.datasets.labels import EIGHT
from training.datasets.pictures import read_picture
from training.preparation import Prepared, prepare, side_of
from training.recipe import Recipe
from training.spec import RunSpec

RAFDB_ORDER = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
COLUMNS = {"angry": "anger", "happy": "happiness", "sad": "sadness"}


def spec_of(data: Path, votes: Path | None = None, **recipe: object) -> RunSpec:
    settings = msgspec.convert({"target": "label", **recipe}, Recipe)
    return RunSpec(name="new", data=str(data), votes=None if votes is None else str(votes), recipe=settings)


def config_of(labels: tuple[str, ...] = EMOTIONS) -> ModelConfig:
    return msgspec.structs.replace(tiny_config(), labels=labels)


def votes_for(tree: Path, **more: dict[str, int]) -> Path:
    """Seven votes for the label of each picture, unless `more` says what its emotion gets."""
    counts = {
        file.relative_to(tree).as_posix(): more.get(
            file.parent.name, {COLUMNS.get(file.parent.name, file.parent.name): 7}
        )
        for file in sorted(tree.glob("*/*/*.png"))
    }
    return write_votes(tree / "votes.csv", counts)


def rows_of(prepared: Prepared) -> list[bytes]:
    return [image.numpy().tobytes() for image in prepared.train.images]


def test_a_part_of_each_emotion_is_held_out(tree: Path) -> None:
    prepared = prepare(spec_of(tree, validation=0.3), config_of())
    assert prepared.train.images.shape == (28, 1, 48, 48)
    assert prepared.counts.tolist() == [4] * 7
    assert np.bincount(prepared.validation.targets[:, 0]).tolist() == [2] * 7
    held = {image.numpy().tobytes() for image in prepared.validation.images}
    assert not held & set(rows_of(prepared))
    assert len(prepared.fingerprint) == 64


def test_targets_are_in_the_models_order(tree: Path) -> None:
    (tree / "train" / "sad" / "5.png").unlink()
    plain, other = (prepare(spec_of(tree), config_of(labels)) for labels in (EMOTIONS, RAFDB_ORDER))
    assert other.labels == RAFDB_ORDER
    assert other.counts.tolist() == [5, 5, 5, 5, 4, 5, 5]
    names = [EMOTIONS[index] for index in plain.train.targets.argmax(1)]
    assert names == [RAFDB_ORDER[index] for index in other.train.targets.argmax(1)]
    truths = [EMOTIONS[index] for index in plain.validation.targets[:, 0]]
    assert truths == [RAFDB_ORDER[index] for index in other.validation.targets[:, 0]]


def test_pictures_of_the_test_split_are_left_out(tree: Path) -> None:
    twin = tree / "train" / "sad" / "0.png"
    twin.write_bytes((tree / "test" / "happy" / "1.png").read_bytes())
    prepared = prepare(spec_of(tree), config_of())
    assert len(prepared.train.images) + len(prepared.validation.images) == 41


def test_the_papers_split_validates_on_the_test_split(tree: Path) -> None:
    twin = tree / "train" / "sad" / "0.png"
    twin.write_bytes((tree / "test" / "happy" / "1.png").read_bytes())
    prepared = prepare(spec_of(tree, paper_split=True), config_of())
    assert (len(prepared.train.images), len(prepared.validation.images)) == (42, 14)
    assert prepared.validation.targets[:, 0].tolist() == [label for label in range(7) for _ in range(2)]


def test_the_papers_split_needs_a_test_split(tmp_path: Path) -> None:
    spec = msgspec.structs.replace(
        spec_of(write_folders(tmp_path, EMOTIONS), paper_split=True), dataset="folder"
    )
    with pytest.raises(DataError, match="has no test split to validate on"):
        prepare(spec, config_of())


def test_pictures_without_votes_are_not_taught(tree: Path) -> None:
    votes = votes_for(tree)
    before = prepare(spec_of(tree, votes, target="votes"), config_of())
    first = before.train.images[0, 0].numpy()
    nobody = next(
        file.relative_to(tree).as_posix()
        for file in (tree / "train").glob("*/*")
        if np.array_equal(read_picture(file, grey=True)[:, :, 0], first)
    )
    others = [line for line in votes.read_text().splitlines() if not line.startswith(f"{nobody},")]
    votes.write_text("\n".join([*others, f"{nobody},0,0,0,0,0,0,0,0,0,10"]) + "\n")
    after = prepare(spec_of(tree, votes, target="votes"), config_of())
    assert rows_of(after) == rows_of(before)[1:]
    assert rows_of(prepare(spec_of(tree, votes), config_of())) == rows_of(before)


def test_the_truth_is_the_label_and_what_most_people_said(tree: Path) -> None:
    unclear = {"fear": {"fear": 5, "surprise": 5}, "happy": {"happiness": 4, "contempt": 6}}
    votes = votes_for(tree, sad={"neutral": 6, "sadness": 4}, **unclear)
    prepared = prepare(spec_of(tree, votes, target="votes"), config_of())
    expected = {"fear": -1, "happy": -1, "sad": EMOTIONS.index("neutral")}
    assert prepared.validation.targets.tolist() == [
        [label, expected.get(emotion, label)] for label, emotion in enumerate(EMOTIONS)
    ]
    fear = EMOTIONS.index("fear")
    taught = prepared.train.targets[prepared.train.targets[:, fear] > 0]
    assert taught.tolist() == [[0, 0, 0.5, 0, 0, 0, 0.5]] * 5


def test_votes_teach_contempt_to_a_model_that_knows_it(tree: Path) -> None:
    votes = votes_for(tree, angry={"anger": 6, "contempt": 2}, fear={"contempt": 7, "fear": 1})
    prepared = prepare(spec_of(tree, votes, target="votes"), config_of(EIGHT))
    angry, fear = (prepared.train.targets[5 * label] for label in (0, 2))
    assert angry.tolist() == [0.75, 0, 0, 0, 0, 0, 0, 0.25]
    assert fear.tolist() == [0, 0, 0.125, 0, 0, 0, 0, 0.875]
    assert prepared.counts.tolist() == [5, 5, 0, 5, 5, 5, 5, 5]
    assert prepared.validation.targets[:3].tolist() == [[0, 0], [1, 1], [2, 7]]


def test_a_class_that_no_picture_has_is_named(tree: Path) -> None:
    with pytest.raises(DataError, match=r"no training picture of .*faces is contempt"):
        prepare(spec_of(tree, votes_for(tree), target="votes"), config_of(EIGHT))


def test_votes_are_for_fer2013_only(tree: Path) -> None:
    votes = votes_for(tree)
    spec = msgspec.structs.replace(spec_of(tree, votes, target="votes"), dataset="folder")
    with pytest.raises(DataError, match=r"votes\.csv are votes for FER2013, not for folder"):
        prepare(spec, config_of())
    with pytest.raises(DataError, match="target mixed needs the FER"):
        prepare(spec_of(tree, target="mixed"), config_of())


def test_a_model_with_other_outputs_is_refused_before_anything_is_read(tree: Path) -> None:
    (tree / "train" / "sad" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"labels of .*faces are not the outputs of tiny: .* contempt"):
        prepare(spec_of(tree), config_of(EIGHT))
    write_folders(tree / "train", ["contempt"])
    write_folders(tree / "test", ["contempt"])
    spec = msgspec.structs.replace(spec_of(tree), dataset="affectnet8")
    with pytest.raises(DataError, match="they differ in contempt"):
        prepare(spec, config_of())
    spec = msgspec.structs.replace(spec_of(tree), dataset="affectnet7")
    with pytest.raises(DataError, match=r"0\.png cannot be decoded"):
        prepare(spec, config_of())


def test_a_limit_keeps_a_share_of_every_class(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, train=12, test=1)
    spec = msgspec.structs.replace(spec_of(tree), limit=21)
    limited, whole = prepare(spec, config_of()), prepare(spec_of(tree), config_of())
    assert limited.counts.tolist() == [3] * 7
    assert set(rows_of(limited)) < set(rows_of(whole))
    assert limited.validation.images.equal(whole.validation.images)


def test_faces_are_aligned_first(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aligner = Turned()
    monkeypatch.setattr("training.preparation.MtcnnAligner", lambda _: aligner)
    spec = msgspec.structs.replace(spec_of(tree), align=True, device="cpu")
    aligned = prepare(spec, config_of(), tmp_path / "cache")
    assert aligner.seen == 56
    assert len(list((tmp_path / "cache").iterdir())) == 1
    plain = prepare(spec_of(tree), config_of())
    assert aligned.train.images.shape == plain.train.images.shape
    assert not set(rows_of(aligned)) & set(rows_of(plain))
    assert aligned.fingerprint == plain.fingerprint


def test_pictures_are_kept_no_larger_than_they_are() -> None:
    shown = msgspec.structs.replace(tiny_config().preprocessing, resample=None)
    large = msgspec.structs.replace(tiny_config(), input_size=224, preprocessing=shown)
    assert side_of("fer2013", tiny_config(), align=False) == 48
    assert side_of("fer2013", large, align=False) == 48
    assert side_of("fer2013", large, align=True) == 96
    assert side_of("rafdb", large, align=True) == 200
    assert side_of("affectnet8", large, align=False) == 224
    assert side_of("folder", tiny_config(), align=True) == 48


def test_corrections_alone_need_not_show_every_emotion(tmp_path: Path) -> None:
    labels = ["sad", "sad", "sad", "happy", "happy", "fear"]
    spec = msgspec.structs.replace(
        spec_of(write_corrections(tmp_path / "corrections", labels)), dataset="corrections"
    )
    prepared = prepare(spec, config_of())
    assert dict(zip(EMOTIONS, prepared.counts.tolist(), strict=True)) == {
        **dict.fromkeys(EMOTIONS, 0),
        "sad": 2,
        "happy": 1,
        "fear": 1,
    }
    assert sorted(EMOTIONS[row] for row in prepared.validation.targets[:, 0]) == ["happy", "sad"]


def test_corrections_of_which_none_can_be_held_out_are_too_few(tmp_path: Path) -> None:
    data = write_corrections(tmp_path / "corrections", ["sad", "happy"])
    with pytest.raises(DataError, match="no emotion has two different pictures"):
        prepare(msgspec.structs.replace(spec_of(data), dataset="corrections"), config_of())


@pytest.mark.parametrize("labels", [EMOTIONS, RAFDB_ORDER, EIGHT])
def test_corrections_are_added_to_what_is_trained_on_alone(
    tmp_path: Path, tree: Path, labels: tuple[str, ...]
) -> None:
    if labels == EIGHT:
        for seed in range(8):
            write_picture(tree / ("train", "test")[seed // 6] / "contempt" / f"{seed}.png", 1000 + seed)
    folder = write_corrections(tmp_path / "corrections", ["sad", "fear", "sad"])
    plain = msgspec.structs.replace(spec_of(tree), dataset="folder", limit=24)
    alone = prepare(plain, config_of(labels))
    mixed = prepare(msgspec.structs.replace(plain, corrections=str(folder)), config_of(labels))
    added = [labels[row] for row in mixed.train.targets[len(alone.train.images) :].argmax(1)]
    assert added == ["sad", "fear", "sad"]
    assert rows_of(mixed)[:-3] == rows_of(alone)
    assert mixed.validation.images.equal(alone.validation.images)
    assert mixed.fingerprint != alone.fingerprint


def test_corrections_go_with_votes(tmp_path: Path, tree: Path) -> None:
    folder = write_corrections(tmp_path / "corrections", ["disgust"])
    spec = spec_of(tree, votes_for(tree), target="votes")
    prepared = prepare(msgspec.structs.replace(spec, corrections=str(folder)), config_of())
    assert prepared.train.targets[-1].tolist() == [float(emotion == "disgust") for emotion in EMOTIONS]


@pytest.mark.parametrize("odd", [{"align": True}, {"corrections": "more"}])
def test_corrections_are_neither_aligned_again_nor_added_to_themselves(
    tmp_path: Path, odd: dict[str, object]
) -> None:
    data = write_corrections(tmp_path, ["sad", "sad"])
    spec = msgspec.structs.replace(spec_of(data), dataset="corrections", **odd)
    with pytest.raises(DataError, match="goes with another data set"):
        prepare(spec, config_of())
