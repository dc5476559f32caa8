from pathlib import Path

import pytest

from services.dashboard import training_status as status
from services.dashboard.training_view import Run
from shared.queues.presence import Service
from shared.queues.trainings import Progress, State

ROWS = [
    {"epoch": 1.0, "loss": 2.0, "label_accuracy": 0.4, "majority_accuracy": 0.5, "seconds": 10.0},
    {"epoch": 2.0, "loss": 1.5, "label_accuracy": 0.6, "majority_accuracy": 0.8, "seconds": 20.0},
]
LIVE = Progress(epoch=3, epochs=6, step=1200, steps=2400, loss=1.25, left_s=361.0)
HOSTILE = "<script>x</script>"


def run(state: State | None = State.RUNNING, **fields: object) -> Run:
    return Run("a", Path(), state, **{"epochs": 6, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (run(State.QUEUED), "waiting for a trainer"),
        (run(), "getting ready · 0 of 6 epochs"),
        (
            run(history=ROWS, progress=LIVE),
            "epoch 3 of 6 · step 1,200 of 2,400 · loss 1.250 · accuracy, labels 60.0 %"
            " · accuracy, FER+ majority 80.0 % · about 6:01 left",
        ),
        (
            run(progress=Progress(epoch=1, epochs=6, step=1, steps=2, loss=None)),
            "epoch 1 of 6 · step 1 of 2 · loss not a number",
        ),
        (
            run(State.STOPPED, history=ROWS[:1]),
            "1 of 6 epochs · accuracy, labels 40.0 % · accuracy, FER+ majority 50.0 %",
        ),
        (run(None, epochs=0), ""),
    ],
)
def test_a_line_says_how_far_a_run_is(shown: Run, text: str) -> None:
    assert status.line(shown) == text


def test_the_list_says_a_state_a_share_and_the_last_accuracy() -> None:
    assert "running · 42 % · 80.0 %" in status.entry(run(history=ROWS, progress=LIVE))
    assert "width:41.7%" in status.entry(run(history=ROWS, progress=LIVE))
    assert status.entry(run(None, history=ROWS)) == '<p class="rm-quiet">by hand · 80.0 %</p>'
    assert "stopping" in status.entry(run(stopping=True))


def test_the_head_names_the_active_model() -> None:
    assert "active model" in status.headline(run(is_active=True))
    assert "active model" not in status.headline(run())
    assert "rm-meter" not in status.headline(run(State.FAILED, history=ROWS))


def test_runs_are_compared_by_their_best() -> None:
    other = run(None, history=[{"epoch": 1.0, "label_accuracy": 0.7}], epochs=0, spec={"dataset": "ckplus"})
    table = status.table([run(history=ROWS), other])
    cells = [row.split("</td>")[:-1] for row in table.split("<tr>")[2:]]
    assert [[cell.removeprefix("<td>") for cell in row] for row in cells] == [
        ["a", "–", "–", "2 of 6", "60.0 %", "80.0 %", "15.0"],
        ["a", "ckplus", "–", "1", "70.0 %", "–", "–"],
    ]


def test_who_trains_is_counted() -> None:
    trainer = Service(name="t", kind="trainer", pid=1, host="h")
    worker = Service(name="w", kind="worker", pid=1, host="h")
    text = status.house([trainer, worker], 2, "")
    assert "1 trainer<" in text
    assert "2 runs waiting" in text
    assert "gone" in status.house([], 0, "gone")


def test_nothing_from_outside_becomes_html() -> None:
    hostile = Run(
        HOSTILE, Path(), State.RUNNING, epochs=3, history=ROWS, spec={"dataset": HOSTILE, "init": HOSTILE}
    )
    for text in (
        status.headline(hostile),
        status.entry(hostile),
        status.table([hostile]),
        status.house([], 0, HOSTILE),
    ):
        assert "<script" not in text
