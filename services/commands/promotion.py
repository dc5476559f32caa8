"""`reelmood models promote` and `rollback`: which model is the active one."""

from contextlib import suppress
from typing import Annotated

import typer

from shared.errors import ModelError
from shared.gallery import gallery_folder
from shared.poster.active import ACTIVE, Promotion, read_promotions
from shared.poster.folder import find_folder, model_id
from shared.settings import Settings, load_settings
from shared.storage import models
from shared.storage.mirror import pull


def promote(
    name: Annotated[str, typer.Argument(help="model in the registry")],
    min_accuracy: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="refuse it below this accuracy on its own check set: up to 200 pictures that its training"
            " held out, so that some three points up or down are chance",
        ),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N, for the check set")] = None,
) -> None:
    """Make a model the active one: every worker without a model of its own goes on with it."""
    from shared.poster import promotion

    settings = load_settings(device=device)
    _keep_up(settings, name)
    model = promotion.load_candidate(name, settings.models)
    if min_accuracy is not None:
        from training.check import score_check
        from training.devices import choose_device

        folder = find_folder(name, settings.models)
        accuracy, count = score_check(model, folder, choose_device(settings.device))
        figure = f"{name} reads {100 * accuracy:.1f} % of the {count} faces of its check set right"
        if accuracy < min_accuracy:
            raise ModelError(f"{figure}, {100 * min_accuracy:g} % are asked for: it is not promoted")
        typer.echo(figure)
    models.share(settings, name)
    _tell(settings, promotion.promote(name, str(model.id), settings.models))
    models.share_promotions(settings)


def rollback() -> None:
    """Take the last promotion back: the model before it is the active one again."""
    from shared.poster import promotion

    settings = load_settings()
    _keep_up(settings)
    _tell(settings, promotion.roll_back(settings.models))
    models.share_promotions(settings)


def _keep_up(settings: Settings, name: str | None = None) -> None:
    """Fetch what the store, if there is one, knows of promotions, and the model that is to be promoted.

    Without a name that is the one before the last.
    """
    with suppress(ModelError):  # that the active model cannot be used is no reason to keep it
        pull(settings, with_results=False)
    if name is None:
        name = read_promotions(settings.models)[-2:][0].name
    models.fetch(settings, name)


def _tell(settings: Settings, promotion: Promotion) -> None:
    identity = model_id(find_folder(promotion.name, settings.models))
    typer.echo(f"{identity} is the active model")
    if settings.model != ACTIVE:
        typer.echo(f"REELMOOD_MODEL is {settings.model}: processes with this setting stay with it")
    if gallery_folder(settings.gallery, identity) is None:
        typer.echo(
            "it has no gallery: its neighbours are the faces of clips that it has read;"
            f" build one with `reelmood gallery build --model {promotion.name} --dataset … --data …`"
        )
