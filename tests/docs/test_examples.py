"""The example notebook runs, on results that are written here, and shows what stands in them."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.services.recorder.finished import write_finished

NOTEBOOK = Path(__file__).parents[2] / "docs" / "examples" / "timeline.ipynb"


def example() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the notebook shows of a home with one clip."""
    write_finished(tmp_path / "home" / "results" / "ann")
    monkeypatch.setenv("REELMOOD_HOME", str(tmp_path / "home"))
    # Streamlit sets it for the whole process as soon as it is imported.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    client = NotebookClient(example(), timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    return [output for cell in client.execute().cells for output in cell.get("outputs", [])]


def test_the_notebook_runs_and_shows_the_clip(outputs: list[Any]) -> None:
    kinds = [output["output_type"] for output in outputs]
    assert kinds == ["execute_result"] * 3 + ["display_data", "execute_result"]
    assert outputs[3]["data"]["image/png"]
    first, summary, shares, surest = (
        output["data"]["text/plain"] for output in outputs if output["output_type"] == "execute_result"
    )
    assert "[5 rows x 23 columns]" in first
    assert "Tom & <b>Ann</b>.mp4" in summary
    # Track 0 is happy for 10 of its 20 frames and sad for the others, track 1 is happy.
    assert [line.split()[-8:] for line in shares.splitlines()[-2:]] == [
        ["0", "0.0", "0.0", "0.0", "0.5", "0.0", "0.5", "0.0"],
        ["1", "0.0", "0.0", "0.0", "1.0", "0.0", "0.0", "0.0"],
    ]
    assert [line.split()[-2:] for line in surest.splitlines()[1:]] == [["happy", "0.6"], ["sad", "0.4"]]


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = example()
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
