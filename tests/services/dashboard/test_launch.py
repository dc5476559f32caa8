import sys
from pathlib import Path

from services.dashboard.launch import command
from shared.settings import Settings


def test_the_command_is_headless_local_and_silent(tmp_path: Path) -> None:
    argv = command(Settings(home=tmp_path, dashboard_port=9001))
    assert argv[:4] == [sys.executable, "-m", "services.dashboard.serving", "run"]
    assert Path(argv[4]).is_file()
    for option in (
        "--server.headless=true",
        "--server.address=127.0.0.1",
        "--server.port=9001",
        "--server.fileWatcherType=none",
        "--browser.gatherUsageStats=false",
        "--server.maxUploadSize=500",
    ):
        assert option in argv


def test_uploads_are_bounded_by_the_setting(tmp_path: Path) -> None:
    assert "--server.maxUploadSize=70" in command(Settings(home=tmp_path, upload_mb=70))
    assert "--server.maxUploadSize=1" in command(Settings(home=tmp_path, upload_mb=0))


def test_the_theme_has_a_light_and_a_dark_side(tmp_path: Path) -> None:
    argv = command(Settings(home=tmp_path))
    sides = {side: [o for o in argv if o.startswith(f"--theme.{side}.")] for side in ("light", "dark")}
    assert len(sides["light"]) == len(sides["dark"]) > 3


def test_the_address_is_that_of_the_settings(tmp_path: Path) -> None:
    assert "--server.address=127.0.0.2" in command(Settings(home=tmp_path, dashboard_host="127.0.0.2"))
