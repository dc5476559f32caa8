from io import BytesIO
from pathlib import Path

import pytest

from services.dashboard.intake import check, upload
from services.dashboard.intake.upload import MEGABYTE, name_of, store
from shared.errors import ReelmoodError
from shared.settings import Settings
from tests.clips import cut_in_half, walk, write_clip, write_picture


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    return write_clip(tmp_path / "made.mp4", walk(5)).read_bytes()


def put(settings: Settings, name: str, data: bytes) -> str:
    return store(settings, name, len(data), BytesIO(data))


def files(settings: Settings) -> list[str]:
    return sorted(path.relative_to(settings.home).as_posix() for path in settings.home.rglob("*.*"))


def test_a_good_file_lands_in_the_incoming_folder(settings: Settings, film: bytes) -> None:
    assert put(settings, "evening.mp4", film) == "evening.mp4"
    assert (settings.incoming / "evening.mp4").read_bytes() == film
    assert files(settings) == ["incoming/evening.mp4"]


def test_nothing_is_overwritten(settings: Settings, film: bytes) -> None:
    assert [put(settings, "evening.mp4", film) for _ in range(2)] == ["evening.mp4", "evening (2).mp4"]


def test_a_picture_is_a_clip(settings: Settings, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "face.png", walk(1)[0]).read_bytes()
    assert put(settings, "face.PNG", picture) == "face.PNG"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("C:\\films\\a.mp4", "a.mp4"),
        (".hidden.mp4", "hidden.mp4"),
        ("a\x1b[31m\u202e.mp4", "a\ufffd[31m\ufffd.mp4"),
        ("..", "clip"),
    ],
)
def test_a_name_is_not_trusted(name: str, kept: str) -> None:
    assert name_of(name) == kept


def test_a_file_that_nothing_can_be_decoded_of_is_refused(settings: Settings) -> None:
    with pytest.raises(ReelmoodError, match="not a video"):
        put(settings, "text.mp4", b"no video at all")
    assert files(settings) == []


def test_a_file_that_was_cut_off_says_so(settings: Settings, tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "made.mp4", walk(5))
    with pytest.raises(ReelmoodError, match="cut off"):
        put(settings, "half.mp4", cut_in_half(whole, tmp_path / "half.mp4").read_bytes())


@pytest.mark.parametrize("name", ["run.sh", "film.mp4.part", "film", "list.m3u8"])
def test_other_kinds_of_files_are_refused(settings: Settings, film: bytes, name: str) -> None:
    with pytest.raises(ReelmoodError, match="no kind of file"):
        put(settings, name, film)
    assert files(settings) == []


def test_a_file_that_is_too_large_is_refused_before_it_is_written(settings: Settings) -> None:
    small = settings.model_copy(update={"upload_mb": 1})
    with pytest.raises(ReelmoodError, match="larger than 1 MB"):
        store(small, "large.mp4", MEGABYTE + 1, BytesIO())
    assert files(settings) == []


def test_a_folder_that_cannot_be_written_is_one_line(settings: Settings, film: bytes) -> None:
    settings.home.mkdir(parents=True)
    settings.incoming.write_text("in the way")
    with pytest.raises(ReelmoodError, match="it cannot be stored"):
        put(settings, "evening.mp4", film)


def test_a_decoder_that_takes_too_long_is_left(
    settings: Settings, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "_LONGEST_S", 0)
    with pytest.raises(ReelmoodError, match="takes too long"):
        put(settings, "evening.mp4", film)
    assert files(settings) == []


def test_the_check_tells_a_clip_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(write_clip(tmp_path / "made.mp4", walk(2))) == 0
    (tmp_path / "empty.mp4").touch()
    assert check.main(tmp_path / "empty.mp4") == 1
    assert capsys.readouterr().err == "the file is empty\n"
