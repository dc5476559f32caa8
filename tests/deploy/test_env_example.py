import re

from shared.settings import Settings
from tests.deploy.files import ROOT

EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def _variables() -> dict[str, str]:
    """All variables of the example, commented out or not, with their values."""
    return dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def test_every_setting_stands_in_the_example_with_its_default() -> None:
    shown = {name: value for name, value in _variables().items() if name.startswith("REELMOOD_")}
    assert shown.keys() == {f"REELMOOD_{name.upper()}" for name in Settings.model_fields}
    given = {name.removeprefix("REELMOOD_").lower(): value for name, value in shown.items() if value}
    assert Settings.model_validate(given) == Settings.model_construct()


def test_every_variable_of_the_compose_file_is_explained() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    ours = {name for name in _variables() if not name.startswith("REELMOOD_")}
    assert used == ours
    for name in _variables():
        assert re.search(rf"^# .*[.:]\n(?:# )?(?:[A-Z_]+=.*\n(?:# )?)*{name}=", EXAMPLE, re.MULTILINE), name


def test_the_password_is_left_to_the_user_and_stays_out_of_git() -> None:
    assert _variables()["BROKER_PASSWORD"] == ""
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
