"""What a finished run leaves: a model folder, with its record and its check set."""

import shutil
from pathlib import Path

from msgspec.structs import replace

from shared.poster import checkpoints
from shared.poster.config import ModelConfig
from training.check import write_check
from training.devices import describe
from training.loop import Run
from training.lora import save_adapter
from training.preparation import Prepared
from training.record import RECORD_FILE, Record, encode_record
from training.spec import RunSpec


def save_outcome(
    run: Run, spec: RunSpec, config: ModelConfig, prepared: Prepared, base: str, folder: Path
) -> None:
    """Write the model of a finished run as the new folder `folder`: complete, or not at all.

    `config` describes the model as it was trained, `base` is the id of the one that it began with. With LoRA
    the adapter alone is written. Raises ModelError when a weight is not finite, or the folder cannot be
    written.
    """
    model, row = run.chosen()
    figures = {f"validation_{name}": row[name] for name in row if name.startswith(("label_", "majority_"))}
    named = replace(config, name=spec.name, metrics=figures, base=base if spec.recipe.lora else None)
    aside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    if spec.recipe.lora is None:
        checkpoints.save(model, named, aside, half=True)
    else:
        save_adapter(model, spec.recipe.lora, named, aside)
    held = prepared.validation
    truth = held.targets[:, 0 if spec.recipe.target == "label" else -1]
    write_check(aside, held.images.permute(0, 2, 3, 1).numpy(), truth.numpy(), prepared.labels)
    record = Record(
        spec=spec,
        base=base,
        fingerprint=prepared.fingerprint,
        pictures=len(prepared.train.images),
        epochs=len(run.history),
        best_epoch=int(row["epoch"]),
        seconds=sum(each["seconds"] for each in run.history),
        figures=row,
        device=describe(run.group.device),
        processes=run.group.size,
    )
    (aside / RECORD_FILE).write_bytes(encode_record(record))
    aside.rename(folder)
