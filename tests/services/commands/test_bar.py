from rich.progress import Progress

from services.commands.bar import TrainingBar
from training.observer import Position


def test_a_run_counts_its_steps() -> None:
    progress = Progress()
    bar = TrainingBar(progress, progress.add_task("training", total=None, loss=0.0), runs=1)
    bar.step(Position(epoch=2, epochs=4, step=3, steps=10, loss=0.5))
    (task,) = progress.tasks
    assert (task.completed, task.total, task.fields["loss"]) == (13, 40, 0.5)
    assert task.description == "epoch 2 of 4"


def test_runs_in_turn_share_one_bar() -> None:
    progress = Progress()
    bar = TrainingBar(progress, progress.add_task("training", total=None, loss=0.0), runs=5)
    bar.begin("3 of 5: cb, full", before=2)
    bar.step(Position(epoch=1, epochs=4, step=1, steps=10, loss=0.5))
    (task,) = progress.tasks
    assert (task.completed, task.total) == (81, 200)
    assert task.description == "3 of 5: cb, full, epoch 1 of 4"
