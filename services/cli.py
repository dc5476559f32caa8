"""The `reelmood` command."""

import sys

import typer

from services.commands import (
    ablate,
    analyze,
    bench,
    camera,
    cancel,
    dead,
    doctor,
    evaluate,
    export,
    forget,
    gallery,
    landmarks,
    models,
    rerun,
    runs,
    serve,
    status,
    training,
    up,
)
from shared import logs
from shared.errors import ReelmoodError
from shared.settings import load_settings

app = typer.Typer(
    name="reelmood",
    help="Reads the emotions in movie clips: every face, every frame, live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up.up)
app.command()(analyze.analyze)
app.command()(camera.camera)
app.command()(serve.ingest)
app.command()(serve.worker)
app.command()(serve.retrieval)
app.command()(serve.recorder)
app.command()(serve.trainer)
app.command()(serve.dashboard)
app.command()(status.status)
app.command()(export.export)
app.command()(cancel.cancel)
app.command()(rerun.rerun)
app.command()(forget.forget)
app.add_typer(dead.app, name="dead")
app.add_typer(models.app, name="models")
app.add_typer(gallery.app, name="gallery")
app.command()(training.train)
app.command()(evaluate.evaluate)
app.command()(evaluate.curves)
app.command()(ablate.ablate)
app.command()(landmarks.landmarks)
models.app.command("create")(landmarks.create)
app.add_typer(runs.app, name="runs")
app.add_typer(bench.app, name="bench")
app.command()(doctor.doctor)


def main() -> None:
    """Run the command line; what a person can mend ends in one line and its exit code."""
    try:
        settings = load_settings()
        logs.configure(settings.log_level, settings.log_format)
        app()
    except ReelmoodError as error:
        typer.echo(f"reelmood: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
