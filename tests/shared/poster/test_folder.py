import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import ModelError
from shared.poster import folder as model_folder
from shared.poster.config import ModelConfig, encode_config
from shared.poster.folder import CONFIG_FILE, WEIGHTS_FILE, find_folder, list_folders, model_id


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    bundled = tmp_path / "bundled"
    monkeypatch.setattr(model_folder, "BUNDLED", bundled)
    return bundled


def make_folder(folder: Path, weights: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    config = ModelConfig(name=folder.name, size="nano", input_size=128)
    (folder / CONFIG_FILE).write_bytes(encode_config(config))
    (folder / WEIGHTS_FILE).write_bytes(weights)
    return folder


def test_a_path_is_the_folder_itself(tmp_path: Path) -> None:
    made = make_folder(tmp_path / "mine")
    assert find_folder(made) == made
    assert find_folder(str(made)) == made


def test_a_name_is_looked_for_in_the_registry_then_among_the_bundled(tmp_path: Path, bundled: Path) -> None:
    models = tmp_path / "models"
    only_bundled = make_folder(bundled / "nano")
    shipped = make_folder(bundled / "base")
    retrained = make_folder(models / "base")
    assert find_folder("nano", models) == only_bundled
    assert find_folder("base", models) == retrained
    assert find_folder("base") == shipped
    assert list_folders(models) == [retrained, only_bundled]


def test_what_is_being_written_is_not_listed(tmp_path: Path, bundled: Path) -> None:
    make_folder(tmp_path / "models" / ".half-written")
    (tmp_path / "models" / "empty").mkdir()
    assert list_folders(tmp_path / "models") == []


@pytest.mark.parametrize("name", ["..", ".hidden", "", "a b", "x" * 101, "nul\0"])
def test_a_name_never_leads_out_of_the_registry(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="no name of a model"):
        find_folder(name, tmp_path)


def test_an_unknown_name_says_where_it_was_looked_for(tmp_path: Path, bundled: Path) -> None:
    with pytest.raises(ModelError) as refusal:
        find_folder("other", tmp_path / "models")
    assert str(tmp_path / "models") in str(refusal.value)
    assert str(bundled) in str(refusal.value)


def test_a_folder_without_a_config_is_no_model_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no model folder: it has no config\.json"):
        find_folder(tmp_path)


def test_the_id_is_the_name_and_the_hash_of_the_weights(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    assert model_id(make_folder(tmp_path / "mine", b"abc")) == f"mine@{digest[:8]}"


def test_a_folder_without_weights_has_no_id(tmp_path: Path) -> None:
    made = make_folder(tmp_path / "mine")
    (made / WEIGHTS_FILE).unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors cannot be read: No such file"):
        model_id(made)


def test_folders_are_read_without_torch() -> None:
    code = "import sys, shared.poster.folder; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
