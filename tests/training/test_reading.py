import msgspec
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.emotions import EMOTIONS, LABEL_SETS
from shared.errors import ModelError
from shared.faces.preprocessing import preprocess
from tests.training.tiny import TinyModel, tiny_config
from training.reading import read_pictures


def _tiny() -> TinyModel:
    torch.manual_seed(3)
    model = TinyModel()
    model.config, model.id = tiny_config(), "tiny@0"
    return model


def _pictures(count: int, channels: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, 48, 48, channels), np.uint8)


def test_pictures_are_answered_in_order_as_a_worker_would() -> None:
    model, images = _tiny(), _pictures(70)
    answers = list(read_pictures(model, images, torch.device("cpu")))
    assert [len(one.emotions) for one in answers] == [32, 32, 6]
    shown = torch.from_numpy(preprocess(images.repeat(3, axis=3), tiny_config().preprocessing, 16))
    with torch.no_grad():
        logits, embeddings = model.eval()(shown)
    assert np.concatenate([one.emotions for one in answers]).tolist() == logits.argmax(1).tolist()
    read = np.concatenate([one.embeddings for one in answers])
    assert np.allclose(np.linalg.norm(read, axis=1), 1, atol=1e-6)
    lengths = embeddings.norm(dim=1, keepdim=True)
    assert np.allclose(read, (embeddings / lengths).numpy(), atol=1e-6)


def test_a_models_own_order_is_mapped() -> None:
    model, images = _tiny(), _pictures(40)
    (plain, _) = list(read_pictures(model, images, torch.device("cpu")))
    model.config = msgspec.structs.replace(tiny_config(), labels=LABEL_SETS["rafdb"])
    (mapped, _) = list(read_pictures(model, images, torch.device("cpu")))
    named = [LABEL_SETS["rafdb"][index] for index in plain.emotions]
    assert [EMOTIONS[index] for index in mapped.emotions] == named
    assert len(set(named)) > 1


def test_colour_reaches_a_model_that_wants_it() -> None:
    model, images = _tiny(), _pictures(8, channels=3)
    wants = msgspec.structs.replace(tiny_config().preprocessing, channels="rgb")
    model.config = msgspec.structs.replace(tiny_config(), preprocessing=wants)
    (one,) = read_pictures(model, images, torch.device("cpu"))
    (other,) = read_pictures(model, images[..., ::-1], torch.device("cpu"))
    assert not np.allclose(one.embeddings, other.embeddings)


def test_answers_that_are_no_numbers_are_refused() -> None:
    model = _tiny()
    torch.nn.init.constant_(model.head.bias, float("nan"))
    with pytest.raises(ModelError, match="tiny@0 answers with numbers that are not finite"):
        list(read_pictures(model, _pictures(1), torch.device("cpu")))


def test_a_model_without_config_reads_nothing() -> None:
    with pytest.raises(ModelError, match=r"without config\.json"):
        list(read_pictures(TinyModel(), _pictures(1), torch.device("cpu")))
