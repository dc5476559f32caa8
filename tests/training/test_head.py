import torch

from shared.emotions import EMOTIONS, LABEL_SETS
from shared.poster.nano import build_nano
from tests.training.test_run import EIGHT, nano_config
from training.head import labels_to_teach, replace_head
from training.recipe import Recipe
from training.spec import RunSpec


def test_the_new_layer_alone_is_new() -> None:
    model = build_nano(7)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    config = replace_head(model, nano_config(), EIGHT)
    assert (config.labels, model.num_classes, model.config) == (EIGHT, 8, config)
    assert model.head.linear.weight.shape == (8, 256)
    kept = [name for name in before if not name.startswith("head.")]
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in kept)


def test_the_same_labels_in_another_order_keep_their_layer() -> None:
    model = build_nano(7)
    head = model.head
    config = nano_config(LABEL_SETS["rafdb"])
    assert replace_head(model, config, EMOTIONS) is config
    assert model.head is head


def test_votes_alone_teach_contempt_too() -> None:
    spec = RunSpec(name="new", data="nowhere")
    assert labels_to_teach(spec) == EMOTIONS
    votes = RunSpec(name="new", data="nowhere", recipe=Recipe(target="votes"))
    assert labels_to_teach(votes) == EIGHT
