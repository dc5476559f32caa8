"""A training run, from its spec to the folder of the trained model."""

import logging
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import torch
import torch.distributed as dist

from shared.errors import DataError, ModelError
from shared.poster import checkpoints
from shared.poster.config import ModelConfig
from shared.poster.expression import ExpressionModel
from shared.poster.folder import find_folder, model_id
from shared.runs import SPEC_FILE
from training.checkpoint import write_whole
from training.curves import tensorboard
from training.devices import choose_device, describe
from training.distributed import join
from training.head import labels_to_teach, replace_head
from training.loop import Run, fit
from training.lora import adapt
from training.observer import NOBODY, Observer, Observers
from training.outcome import save_outcome
from training.preparation import prepare
from training.spec import RunSpec
from training.together import Meeting, helped
from training.validation import validate

log = logging.getLogger(__name__)

CURVES_FOLDER: Final = "tensorboard"


def train(
    spec: RunSpec,
    out: Path,
    *,
    models: Path | None = None,
    cache: Path | None = None,
    observe: Observer = NOBODY,
) -> Path:
    """Do the run `spec` and return the folder of the trained model, `<out>/<spec.name>`.

    `out` also takes the spec and, after each epoch, the curves for TensorBoard, the history, and the state
    from which the same call goes on. `models` is the registry that `spec.init` is looked for in, `cache` a
    folder for the landmarks of aligned data. Under torchrun every process calls it alike. Raises DataError or
    ModelError, one line each, on anything that a person can mend, and whatever `observe` raises.
    """
    if spec.processes > 1 and dist.is_torchelastic_launched():
        raise DataError("torchrun has started the processes: leave --processes out")
    given = spec, out, models, cache
    with helped(spec.processes, choose_device(spec.device), _train, *given) as meeting:
        return _train(meeting, *given, observe)


def _train(
    meeting: Meeting | None,
    spec: RunSpec,
    out: Path,
    models: Path | None,
    cache: Path | None,
    observe: Observer = NOBODY,
) -> Path:
    folder = out / spec.name
    with join(choose_device(spec.device), meeting) as group:
        if folder.exists():
            raise DataError(f"{folder} exists already: choose another name or folder")
        model = checkpoints.load(spec.init, models)
        base = str(model.id)
        torch.manual_seed(spec.recipe.seed)
        config = config_of(model)
        if spec.new_head:
            config = replace_head(model, config, labels_to_teach(spec))
        prepared = prepare(spec, config, cache)
        if spec.recipe.lora is not None:
            check_base(config.name, base, models)
            model = adapt(model, spec.recipe.lora)
        if group.leads:
            _keep_spec(out, spec)
        log.info(
            "training %s on %d pictures, device %s",
            spec.name,
            len(prepared.train.images),
            describe(group.device),
        )
        run = Run(model, spec.recipe, prepared.train, prepared.counts, group)
        torch.manual_seed(spec.recipe.seed + group.rank)
        followers = Observers((observe, tensorboard(out / CURVES_FOLDER)))
        fit(run, out, partial(validate, prepared, group.device), followers)
        if group.leads:
            save_outcome(run, spec, config, prepared, base, folder)
        group.lead(0)
    return folder


def config_of(model: ExpressionModel) -> ModelConfig:
    """Return the config of a model that came from a folder. Raises DataError when it has none."""
    if model.config is None:
        raise DataError("the model has no config: load it from a model folder")
    return model.config


def check_base(name: str, base: str, models: Path | None) -> None:
    """Raise DataError unless an adapter would find its base again, by name."""
    try:
        found = model_id(find_folder(name, models))
    except ModelError:
        found = "not there"
    if found != base:
        raise DataError(
            f"an adapter finds its base in the registry, where {name} is {found}: put {base} there first"
        )


def _keep_spec(out: Path, spec: RunSpec) -> None:
    """Write the spec; refuse to go on with another one than the run began with, save for the device."""
    file = out / SPEC_FILE
    out.mkdir(parents=True, exist_ok=True)
    try:
        begun = msgspec.json.decode(file.read_bytes(), type=RunSpec)
    except FileNotFoundError:
        begun = spec
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    if msgspec.structs.replace(begun, device=spec.device) != spec:
        raise DataError(f"{out} holds a run with another recipe or other data: choose another name")
    write_whole(file, msgspec.json.format(msgspec.json.encode(spec), indent=2))
