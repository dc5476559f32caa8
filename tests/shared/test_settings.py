"""Settings come from the environment, within bounds, and travel to child processes."""

from pathlib import Path

import pytest

from shared.errors import ReelmoodError
from shared.settings import environment_of, load_settings


def test_the_environment_sets_and_overrides_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELMOOD_HOME", "/somewhere")
    monkeypatch.setenv("REELMOOD_MODEL", "large")
    settings = load_settings(model="small", device=None)
    assert (settings.home, settings.model, settings.device) == (Path("/somewhere"), "small", "auto")
    assert settings.incoming == Path("/somewhere/incoming")


@pytest.mark.parametrize(
    ("name", "value"),
    [("CROP_SIZE", "9"), ("HIGH_WATER", "many"), ("DEVICE", "tpu"), ("PREFIX", "a:b"), ("POLL_S", "0")],
)
def test_a_value_out_of_bounds_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"REELMOOD_{name}", value)
    with pytest.raises(ReelmoodError, match=f"REELMOOD_{name}") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_a_child_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        home=Path("/a b"), explain_every_s=0.0, annotate=True, redis_url="redis://:p@h:1/0"
    )
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_the_url_of_the_broker_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("redis://:from-file@h:1/0\n")
    monkeypatch.setenv("REELMOOD_REDIS_URL_FILE", str(file))
    assert load_settings().redis_url == "redis://:from-file@h:1/0"
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://:direct@h:1/0")
    assert load_settings().redis_url == "redis://:direct@h:1/0"


@pytest.mark.parametrize("content", [None, b"", b"  \n", b"\xff\xfe"])
def test_a_file_without_a_url_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("REELMOOD_REDIS_URL_FILE", str(file))
    with pytest.raises(ReelmoodError, match="REELMOOD_REDIS_URL_FILE") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_settings_are_shown_without_the_password() -> None:
    settings = load_settings(redis_url="redis://:secret@h:1/0")
    assert "secret" not in f"{settings!r} {settings}"
