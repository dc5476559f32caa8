import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import ModelError
from shared.poster.active import (
    ACTIVE_FILE,
    NOTHING_PROMOTED,
    Promotion,
    active,
    read_promotions,
    write_promotions,
)
from shared.poster.folder import BUNDLED, find_folder
from tests.shared.poster.test_folder import make_folder

A = Promotion(name="a", id="a@00000001")
B = Promotion(name="b", id="b@00000002")


def test_nano_is_active_before_anything_is_promoted(tmp_path: Path) -> None:
    assert active(tmp_path) == active(None) == NOTHING_PROMOTED
    assert find_folder("active", tmp_path) == BUNDLED / "nano"


def test_the_last_promotion_counts(tmp_path: Path) -> None:
    models = tmp_path / "models"
    write_promotions(models, [NOTHING_PROMOTED, A, B])
    assert read_promotions(models) == [NOTHING_PROMOTED, A, B]
    assert active(models) == B
    assert [path.name for path in models.iterdir()] == [ACTIVE_FILE]


def test_active_stands_for_the_model_in_use(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "a")
    write_promotions(tmp_path, [A])
    assert find_folder("active", tmp_path) == folder
    (folder / "config.json").unlink()
    with pytest.raises(ModelError, match="no model a in"):
        find_folder("active", tmp_path)


def test_the_latest_hundred_are_kept(tmp_path: Path) -> None:
    many = [Promotion(name=f"m{number}", id=f"m{number}@00000000") for number in range(103)]
    write_promotions(tmp_path, [NOTHING_PROMOTED, *many])
    assert read_promotions(tmp_path) == [NOTHING_PROMOTED, *many[3:]]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b'{"format_version": 2, "promotions": []}',
        b'{"format_version": 1, "promotions": [{"name": "../a", "id": "a@00000001"}]}',
        b'{"format_version": 1, "promotions": [{"name": "active", "id": "a@00000001"}]}',
        b'{"format_version": 1, "promotions": [{"name": "a", "id": "a"}]}',
    ],
)
def test_a_damaged_list_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ACTIVE_FILE).write_bytes(content)
    with pytest.raises(ModelError, match="does not say which model is active") as refused:
        active(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_list_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"active\.json cannot be written"):
        write_promotions(tmp_path / "file", [A])
    (tmp_path / "models" / ACTIVE_FILE).mkdir(parents=True)
    with pytest.raises(ModelError, match=r"active\.json cannot be read"):
        active(tmp_path / "models")


def test_it_is_read_without_torch() -> None:
    code = "import sys, shared.poster.active; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
