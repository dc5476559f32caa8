"""Models that are promoted on one host and read with on another."""

import shutil
from pathlib import Path

import msgspec
import pytest

from shared.errors import ModelError
from shared.gallery import EMBEDDINGS_FILE, HEAD_FILE, gallery_folder
from shared.poster.active import NOTHING_PROMOTED, Promotion, active, write_promotions
from shared.poster.config import ModelConfig, encode_config
from shared.poster.folder import (
    ADAPTER_CONFIG_FILE,
    ADAPTER_FILE,
    CONFIG_FILE,
    WEIGHTS_FILE,
    model_id,
)
from shared.settings import Settings
from shared.storage import models
from shared.storage.mirror import mirroring, pull
from shared.storage.store import Store


def _model(settings: Settings, name: str, weights: bytes = b"weights", base: str | None = None) -> str:
    folder = settings.models / name
    folder.mkdir(parents=True)
    config = ModelConfig(name=name, size="nano", input_size=128, base=base)
    (folder / CONFIG_FILE).write_bytes(encode_config(config))
    for file in (WEIGHTS_FILE,) if base is None else (ADAPTER_CONFIG_FILE, ADAPTER_FILE):
        (folder / file).write_bytes(weights)
    return model_id(folder)


def _gallery(settings: Settings, model: str, faces: bytes = b"faces") -> None:
    folder = settings.gallery / model
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEAD_FILE).write_bytes(b"{}")
    (folder / EMBEDDINGS_FILE).write_bytes(faces)


def _promote(settings: Settings, name: str, identity: str) -> None:
    write_promotions(settings.models, [NOTHING_PROMOTED, Promotion(name=name, id=identity)])
    models.share_promotions(settings)


def test_a_promoted_model_and_its_gallery_come_to_every_host(here: Settings, there: Settings) -> None:
    identity = _model(here, "mine")
    _gallery(here, identity)
    _promote(here, "mine", identity)
    pull(there, with_results=False)
    assert active(there.models) == Promotion(name="mine", id=identity)
    assert model_id(there.models / "mine") == identity
    folder = gallery_folder(there.gallery, identity)
    assert folder is not None
    assert (folder / EMBEDDINGS_FILE).read_bytes() == b"faces"


def test_a_gallery_that_is_built_again_comes_again(here: Settings, there: Settings) -> None:
    identity = _model(here, "mine")
    _promote(here, "mine", identity)
    for faces in (b"faces", b"other"):
        _gallery(here, identity, faces)
        models.share_gallery(here, identity)
        pull(there, with_results=False)
        assert (there.gallery / identity / EMBEDDINGS_FILE).read_bytes() == faces


def test_an_adapter_brings_its_base(here: Settings, there: Settings) -> None:
    base = _model(here, "base")
    identity = _model(here, "adapter", base=base)
    _promote(here, "adapter", identity)
    pull(there, with_results=False)
    assert model_id(there.models / "base") == base


def test_a_model_that_is_not_what_was_promoted_is_not_used(
    here: Settings, there: Settings, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    _promote(here, "mine", _model(here, "mine"))
    store.write(f"models/mine/{WEIGHTS_FILE}", b"other weights")
    with pytest.raises(ModelError, match="the store's active model is mine@"):
        pull(there, with_results=False)
    assert active(there.models) == NOTHING_PROMOTED
    with mirroring(there):
        assert "the model before it stays" in caplog.text


def test_two_models_of_one_name_are_not_mixed_up(here: Settings, there: Settings) -> None:
    _promote(here, "mine", _model(here, "mine"))
    _model(there, "mine", b"others!")
    with pytest.raises(ModelError, match="the store has another model mine"):
        models.share(there, "mine")
    models.share(here, "mine")


def test_a_pinned_model_is_fetched_by_name(here: Settings, there: Settings) -> None:
    identity = _model(here, "mine")
    models.share(here, "mine")
    with mirroring(there.model_copy(update={"model": "mine"})):
        assert model_id(there.models / "mine") == identity
    shutil.rmtree(there.models / "mine")
    models.fetch(there, "mine")
    assert model_id(there.models / "mine") == identity
    with pytest.raises(ModelError):
        models.fetch(there, "../mine")


def test_a_damaged_list_of_promotions_is_one_line(there: Settings, store: Store) -> None:
    store.write("models/active.json", msgspec.json.encode({"promotions": [{"name": "../x", "id": "y"}]}))
    with pytest.raises(ModelError, match="does not say which model is active"):
        pull(there, with_results=False)


def test_a_bundled_model_and_no_store_need_nothing(here: Settings, store: Store, tmp_path: Path) -> None:
    models.share(here, "nano")
    models.share(Settings(home=tmp_path), "nano")
    models.fetch(Settings(home=tmp_path), "nano")
    assert store.items("models") == []
