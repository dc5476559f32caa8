"""Nothing from outside is unpickled: the code holds no such call, and pickles that try do nothing."""

import ast
import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from services.retrieval.built import read_gallery
from services.retrieval.own import OwnFaces, refresh
from shared.emotions import LABEL_SETS
from shared.errors import DataError, MessageError, ModelError
from shared.messages import VERSION, Face, Frames, Message, Neighbours, Query, Reading, decode
from shared.poster.checkpoints import load
from shared.poster.config import ModelConfig, encode_config
from shared.poster.published import import_published
from tests.security.bombs import Bomb, bomb
from tests.services.retrieval.makers import MODEL, build_gallery, finish_clip, unit
from training.checkpoint import read_state

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN_MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "yaml",
}
HARMLESS = {("pickle", "UnpicklingError")}
FORBIDDEN_CALLS = {
    "read_pickle",
    "load_pickle",
    "read_index",
    "unsafe_load",
    "eval",
    "exec",
    "system",
    "popen",
}


def sources() -> list[Path]:
    return [
        path
        for room in ("benchmarks", "services", "shared", "training")
        for path in sorted((ROOT / room).rglob("*.py"))
    ]


def offences(tree: ast.AST) -> Iterator[str]:
    """Yield what in a module could run a pickle or a text as code."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name.split(".")[0] in FORBIDDEN_MODULES)
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in FORBIDDEN_MODULES:
                yield from (f"{module}.{name.name}" for name in names if (module, name.name) not in HARMLESS)
            case ast.Call():
                yield from _call_offences(node)


def _call_offences(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    keywords = {one.arg: ast.unparse(one.value) for one in call.keywords}
    if keywords.get("allow_pickle", "False") != "False" or keywords.get("shell", "False") != "False":
        yield ast.unparse(call)
    if name == "torch.load" and keywords.get("weights_only") != "True":
        yield ast.unparse(call)
    if name in ("np.load", "numpy.load") and keywords.get("allow_pickle") != "False":
        yield ast.unparse(call)
    # `client.eval` runs Lua on the broker, and `model.eval()` takes no arguments
    harmless = name.endswith("client.eval") or (name.endswith(".eval") and not call.args)
    if name.split(".")[-1] in FORBIDDEN_CALLS and not harmless:
        yield ast.unparse(call)


def test_no_module_can_run_a_pickle() -> None:
    found = {str(path.relative_to(ROOT)): list(offences(ast.parse(path.read_text()))) for path in sources()}
    assert len(found) > 100
    assert {path: calls for path, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import yaml",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "pd.read_pickle(path)",
        "faiss.read_index(path)",
        "eval(text)",
        "os.system(text)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_what_is_looked_for_is_found(code: str) -> None:
    assert list(offences(ast.parse(code)))


def test_the_bomb_goes_off_when_it_is_unpickled(tmp_path: Path) -> None:
    pickle.loads(bomb(tmp_path / "made"))  # noqa: S301 - what everything else here has to refuse
    assert (tmp_path / "made").is_dir()


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """The folder that a bomb makes; it must not be there in the end."""
    path = tmp_path / "went-off"
    yield path
    assert not path.exists()


def as_torch_file(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def test_a_published_checkpoint(tmp_path: Path, mark: Path) -> None:
    file = tmp_path / "published.pth"
    contents = [bomb(mark), as_torch_file({"model_state_dict": Bomb(mark)}), as_torch_file({"x": Bomb(mark)})]
    for content in contents:
        file.write_bytes(content)
        with pytest.raises(ModelError):
            import_published(file, "small", LABEL_SETS["rafdb"], "evil")


def test_a_model_folder(tmp_path: Path, mark: Path) -> None:
    config = ModelConfig(name="evil", size="nano", input_size=128)
    (tmp_path / "config.json").write_bytes(encode_config(config))
    for content in (bomb(mark), as_torch_file({"x": Bomb(mark)})):
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(ModelError):
            load(tmp_path)


def test_a_training_state(tmp_path: Path, mark: Path) -> None:
    for content in (bomb(mark), as_torch_file({"epoch": 3, "model": Bomb(mark)})):
        (tmp_path / "state.pt").write_bytes(content)
        with pytest.raises(DataError):
            read_state(tmp_path / "state.pt")


@pytest.mark.parametrize("kind", [Face, Frames, Reading, Query, Neighbours])
def test_a_message(kind: type[Message], mark: Path) -> None:
    for content in (
        bomb(mark),
        bytes([VERSION]) + bomb(mark),
        bytes([VERSION]) + msgspec.msgpack.encode(bomb(mark)),
    ):
        with pytest.raises(MessageError):
            decode(kind, content)


def npy_of(mark: Path) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Bomb(mark), Bomb(mark)], dtype=object), allow_pickle=True)
    return file.getvalue()


def npz_of(mark: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", npy_of(mark))
    return file.getvalue()


@pytest.mark.parametrize("made", [bomb, npy_of, npz_of])
def test_the_embeddings_of_a_gallery(made: object, tmp_path: Path, mark: Path) -> None:
    assert callable(made)
    folder = build_gallery(tmp_path / MODEL, [[1.0, 0.0], [0.0, 1.0]], ["happy", "sad"])
    (folder / "embeddings.npy").write_bytes(made(mark))
    with pytest.raises(DataError):
        read_gallery(folder, MODEL)


def test_a_header_that_promises_terabytes(tmp_path: Path) -> None:
    folder = build_gallery(tmp_path / MODEL, [[1.0, 0.0], [0.0, 1.0]], ["happy", "sad"])
    huge = {"descr": "<f4", "fortran_order": False, "shape": (9_000_000, 4096)}
    with (folder / "embeddings.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, huge)
        file.write(bytes(64))
    head = {"format_version": 1, "model": MODEL, "dimension": 4096, "faces": 9_000_000}
    (folder / "gallery.json").write_bytes(msgspec.json.encode(head))
    with pytest.raises(DataError, match="cannot be read"):
        read_gallery(folder, MODEL)


def pickled_type(mark: Path, kind: pa.DataType) -> pa.Field:
    """Return a column of the extension type whose metadata older pyarrow unpickled (CVE-2023-47248)."""
    names = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": bomb(mark)}
    return pa.field("label", kind, metadata=names)


def test_the_table_of_a_gallery(tmp_path: Path, mark: Path) -> None:
    folder = build_gallery(tmp_path / MODEL, [[1.0, 0.0]], ["happy"])
    schema = pa.schema([pickled_type(mark, pa.string()), pa.field("path", pa.string())])
    pq.write_table(
        pa.table([pa.array(["happy"]), pa.array(["a.png"])], schema=schema), folder / "faces.parquet"
    )
    assert len(read_gallery(folder, MODEL).faces) == 1
    (folder / "faces.parquet").write_bytes(bomb(mark))
    with pytest.raises(DataError):
        read_gallery(folder, MODEL)


def test_the_moments_of_a_clip(tmp_path: Path, mark: Path) -> None:
    folder = finish_clip(tmp_path, "clip", "c1", [("happy", unit(1, 0))])
    (folder / "moments.parquet").write_bytes(bomb(mark))
    assert refresh(OwnFaces(MODEL), tmp_path).gallery is None
