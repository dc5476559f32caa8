import pytest

from services.dashboard.system import disk
from services.dashboard.system.disk import Folder, measure, models
from shared.poster.active import Promotion, write_promotions
from shared.settings import Settings


def test_folders_are_measured_with_what_lies_deeper(settings: Settings) -> None:
    (settings.done / "deep").mkdir(parents=True)
    (settings.done / "a.mp4").write_bytes(b"1234")
    (settings.done / "deep" / "b.mp4").write_bytes(b"56")
    space = measure(settings)
    assert space.folders == [Folder("done", 2, 6)]
    assert 0 < space.free <= space.total


def test_a_folder_of_countless_files_is_not_gone_through(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_MOST_FILES", 2)
    settings.done.mkdir(parents=True)
    for name in "abc":
        (settings.done / name).write_bytes(b"1")
    assert measure(settings).folders == [Folder("done", 2, 2, whole=False)]


def test_a_home_that_is_not_there_is_an_error(settings: Settings) -> None:
    with pytest.raises(OSError, match="No such file"):
        measure(settings)


def test_models_say_which_is_active(settings: Settings) -> None:
    [nano] = models(settings)
    assert (nano.name, nano.size, nano.active, nano.before) == ("nano", "nano", True, False)
    assert nano.bytes > 1_000_000
    (settings.models / "mine").mkdir(parents=True)
    (settings.models / "mine" / "config.json").write_text("{}")
    write_promotions(settings.models, [Promotion(name="mine", id="mine@00000000")])
    found = {model.name: model for model in models(settings)}
    assert (found["mine"].size, found["mine"].active) == ("damaged", True)
    assert (found["nano"].active, found["nano"].before) == (False, True)
