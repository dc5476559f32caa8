import subprocess
from importlib.metadata import version
from pathlib import Path

from training.record import code_version


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_outside_a_checkout_the_code_is_known_by_its_version(tmp_path: Path) -> None:
    assert code_version(tmp_path) == version("reelmood")


def test_in_a_checkout_the_code_is_known_by_its_revision_too(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "First")
    revision = git(tmp_path, "rev-parse", "--short", "HEAD")
    assert code_version(tmp_path) == f"{version('reelmood')} ({revision})"
    (tmp_path / "file").write_text("two")
    assert code_version(tmp_path) == f"{version('reelmood')} ({revision}-dirty)"


def test_a_broken_checkout_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: nowhere")
    assert code_version(tmp_path) == version("reelmood")
