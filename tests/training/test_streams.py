import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from shared.errors import ModelError
from shared.poster import checkpoints
from shared.poster.streams import LandmarkNet, RecognitionNet
from training.streams import LANDMARKS, RECOGNITION, fold_scales, import_streams, make_nano, read_net

UNITS = (
    *(f"conv32_{index}" for index in (1, 2, 3)),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
    *("conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
)


def write_net(folder: Path, net: str, arrays: dict[str, np.ndarray[Any, Any]], **quantized: Any) -> None:
    """Write arrays in TensorFlow's order: float32, or bytes with scale and minimum when named."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = []
    for name, array in arrays.items():
        entry: dict[str, Any] = {"name": name, "shape": list(array.shape), "dtype": "float32"}
        if name in quantized:
            scale, low = quantized[name]
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": low}
        weights.append(entry)
    manifest = [{"weights": weights, "paths": [f"{net}.bin"]}]
    (folder / f"{net}-weights_manifest.json").write_text(json.dumps(manifest))
    data = (array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays.values())
    (folder / f"{net}.bin").write_bytes(b"".join(data))


def scaled_conv(state: dict[str, Tensor], ours: str, theirs: str) -> dict[str, np.ndarray[Any, Any]]:
    """Return a convolution as face-api writes it: its outputs are scaled by powers of two afterwards."""
    weight, bias = state[f"{ours}.weight"], state[f"{ours}.bias"]
    scale = 2.0 ** torch.randint(-3, 4, (len(bias),))
    return {
        f"{theirs}/conv/filters": (weight / scale[:, None, None, None]).numpy().transpose(2, 3, 1, 0),
        f"{theirs}/conv/bias": torch.zeros_like(bias).numpy(),
        f"{theirs}/scale/weights": scale.numpy(),
        f"{theirs}/scale/biases": bias.numpy(),
    }


def write_streams(folder: Path) -> tuple[RecognitionNet, LandmarkNet]:
    """Write both nets with random weights as face-api would, and return them."""
    torch.manual_seed(5)
    recognition, landmarks = RecognitionNet(), LandmarkNet()
    for parameter in (*recognition.parameters(), *landmarks.parameters()):
        parameter.data.uniform_(-0.1, 0.1)
    state = recognition.state_dict()
    arrays = scaled_conv(state, "stem.conv", "conv32_down")
    ours = [*(f"stem.units.{index}" for index in range(10)), "top.0", "top.1", "top.2", "last"]
    for unit, name in zip(ours, UNITS, strict=True):
        for conv in ("conv1", "conv2"):
            arrays |= scaled_conv(state, f"{unit}.{conv}", f"{name}/{conv}")
    arrays["fc"] = state["fc.weight"].numpy().T
    write_net(folder, RECOGNITION, arrays)

    state, arrays = landmarks.state_dict(), {}
    for block in range(4):
        for index in range(4):
            unit, name = f"blocks.{block}.conv{index}", f"dense{block}/conv{index}"
            if block == index == 0:
                arrays[f"{name}/filters"] = state[f"{unit}.weight"].numpy().transpose(2, 3, 1, 0)
                arrays[f"{name}/bias"] = state[f"{unit}.bias"].numpy()
                continue
            depthwise, pointwise = (
                state[f"{unit}.{part}.weight"].numpy() for part in ("depthwise", "pointwise")
            )
            arrays[f"{name}/depthwise_filter"] = depthwise.transpose(2, 3, 0, 1)
            arrays[f"{name}/pointwise_filter"] = pointwise.transpose(2, 3, 1, 0)
            arrays[f"{name}/bias"] = state[f"{unit}.pointwise.bias"].numpy()
    arrays["fc/weights"], arrays["fc/bias"] = state["fc.weight"].numpy().T, state["fc.bias"].numpy()
    write_net(folder, LANDMARKS, arrays)
    return recognition, landmarks


def test_both_nets_come_over_whole(tmp_path: Path) -> None:
    recognition, landmarks = write_streams(tmp_path)
    streams = import_streams(tmp_path)
    for net, state in ((recognition, streams.recognition), (landmarks, streams.landmarks)):
        wanted = net.state_dict()
        assert state.keys() == wanted.keys()
        for name, tensor in state.items():
            assert torch.equal(tensor, wanted[name]), name


def test_a_scale_acts_behind_its_convolution_and_bias() -> None:
    torch.manual_seed(1)
    conv, folded = torch.nn.Conv2d(2, 3, 3), torch.nn.Conv2d(2, 3, 3)
    scale, shift, x = torch.randn(3), torch.randn(3), torch.randn(1, 2, 5, 5)
    state = {f"a.{name}": tensor for name, tensor in conv.state_dict().items()}
    state |= {"a.scale": scale, "a.shift": shift}
    folded.load_state_dict({name[2:]: tensor for name, tensor in fold_scales(state).items()})
    torch.testing.assert_close(folded(x), conv(x) * scale[:, None, None] + shift[:, None, None])


def test_make_nano_starts_from_both_streams(tmp_path: Path) -> None:
    recognition, landmarks = write_streams(tmp_path / "model")
    config = make_nano(tmp_path / "model", tmp_path / "first", name="first")
    model = checkpoints.load(tmp_path / "first")
    assert model.config == config
    state = model.state_dict()
    assert torch.equal(state["top.2.conv2.weight"], recognition.state_dict()["top.2.conv2.weight"])
    assert torch.equal(state["landmark.fc.bias"], landmarks.fc.bias)

    torch.manual_seed(123)
    make_nano(tmp_path / "model", tmp_path / "again")
    again = checkpoints.load(tmp_path / "again").state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in state.items())
    make_nano(tmp_path / "model", tmp_path / "other", seed=1)
    other = checkpoints.load(tmp_path / "other").state_dict()
    assert not torch.equal(other["head.linear.weight"], state["head.linear.weight"])


def test_bytes_stand_for_scaled_values(tmp_path: Path) -> None:
    write_net(
        tmp_path,
        "net",
        {
            "a": np.array([0, 1, 255], np.uint8),
            "b": np.array([0.25], np.float32),
            "c": np.array([2], np.uint8),
        },
        a=(0.5, -1.0),
        c=(0.1, 0.0),
    )
    arrays = read_net(tmp_path, "net")
    assert arrays["a"].tolist() == [-1.0, -0.5, 126.5]
    assert arrays["b"].tolist() == [0.25]
    assert arrays["c"].tolist() == pytest.approx([0.2])
    assert {array.dtype for array in arrays.values()} == {torch.float32}


@given(st.tuples(*(st.integers(1, 4) for _ in range(4))))
def test_kernels_are_brought_to_our_order(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, ...]
) -> None:
    folder = tmp_path_factory.mktemp("net")
    height, width, first, second = shape
    kernel = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    write_net(folder, "net", {"x/filters": kernel, "y/depthwise_filter": kernel, "z": kernel[0, 0]})
    arrays = read_net(folder, "net")
    assert arrays["x/filters"].shape == (second, first, height, width)
    assert arrays["x/filters"][-1, 0, -1, 0] == kernel[-1, 0, 0, -1]
    assert arrays["y/depthwise_filter"].shape == (first, second, height, width)
    assert arrays["y/depthwise_filter"][-1, 0, -1, 0] == kernel[-1, 0, -1, 0]
    assert torch.equal(arrays["z"], torch.from_numpy(kernel[0, 0].T))


def test_shards_are_read_as_one_file(tmp_path: Path) -> None:
    write_net(tmp_path, "net", {"a": np.arange(6, dtype=np.float32)})
    data = (tmp_path / "net.bin").read_bytes()
    (tmp_path / "one").write_bytes(data[:10])
    (tmp_path / "two").write_bytes(data[10:])
    manifest = tmp_path / "net-weights_manifest.json"
    manifest.write_text(manifest.read_text().replace('"net.bin"', '"one", "two"'))
    assert read_net(tmp_path, "net")["a"].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    write_net(tmp_path / "model", "net", {"a": np.zeros(2, np.float32)})
    (tmp_path / "model" / "net.bin").rename(tmp_path / "net.bin")
    manifest = tmp_path / "model" / "net-weights_manifest.json"
    manifest.write_text(manifest.read_text().replace("net.bin", "../net.bin"))
    with pytest.raises(ModelError, match="is missing"):
        read_net(tmp_path / "model", "net")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"face_recognition_model-weights_manifest\.json is missing: give face-api"
    ):
        import_streams(tmp_path)
    write_net(tmp_path, "net", {"a": np.zeros(2, np.float32)})
    (tmp_path / "net.bin").unlink()
    with pytest.raises(ModelError, match=r"net\.bin is missing"):
        read_net(tmp_path, "net")


@pytest.mark.parametrize("size", [0, 7, 9, 12])
def test_a_file_of_another_length_is_refused(tmp_path: Path, size: int) -> None:
    write_net(tmp_path, "net", {"a": np.zeros(2, np.float32)})
    (tmp_path / "net.bin").write_bytes(b"\0" * size)
    with pytest.raises(ModelError, match=r"net-weights_manifest\.json cannot be read"):
        read_net(tmp_path, "net")


@pytest.mark.parametrize("text", ["", "[1]", '[{"paths": []}]', '[{"paths": [], "weights": [{}]}]'])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "net-weights_manifest.json").write_text(text)
    with pytest.raises(ModelError, match=r"net-weights_manifest\.json cannot be read"):
        read_net(tmp_path, "net")


@pytest.mark.parametrize(
    ("net", "name"),
    [
        (RECOGNITION, "conv512_1/conv1/conv/filters"),
        (RECOGNITION, "fc/bias"),
        (LANDMARKS, "dense9/conv1/bias"),
    ],
)
def test_another_net_is_refused(tmp_path: Path, net: str, name: str) -> None:
    write_streams(tmp_path)
    write_net(tmp_path, net, {name: np.zeros(1, np.float32)})
    with pytest.raises(ModelError, match=f"{net} in {tmp_path} holds an unknown layer {name}"):
        import_streams(tmp_path)


@pytest.mark.parametrize("net", [RECOGNITION, LANDMARKS])
def test_a_net_that_lacks_layers_is_refused(tmp_path: Path, net: str) -> None:
    write_streams(tmp_path)
    write_net(tmp_path, net, {})
    with pytest.raises(ModelError, match=f"{net} in {tmp_path} lacks the layer"):
        import_streams(tmp_path)


def test_a_layer_of_another_shape_is_refused(tmp_path: Path) -> None:
    write_streams(tmp_path)
    manifest = tmp_path / f"{RECOGNITION}-weights_manifest.json"
    manifest.write_text(manifest.read_text().replace("[7, 7, 3, 32]", "[7, 7, 32, 3]"))
    with pytest.raises(ModelError, match=r"stem\.conv\.weight"):
        make_nano(tmp_path, tmp_path / "out")
