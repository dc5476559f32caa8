"""`reelmood status`: clips, training runs, queues, services, as they are now."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.commands import runs
from shared.queues import clips, jobs, presence, trainings, work
from shared.queues.broker import connect
from shared.settings import load_settings


def status(
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for scripts")] = False,
    limit: Annotated[int, typer.Option(min=1, help="clips and training runs to show, the newest first")] = 20,
) -> None:
    """Show clips, training runs, queues, workers and rates."""
    broker = connect(load_settings())
    shown = clips.recent(broker, limit)
    trained = trainings.recent(broker, limit)
    services = presence.alive(broker) + jobs.runners(broker)
    depths = jobs.lengths(broker) | work.depths(broker)
    ages = jobs.ages(broker) | work.ages(broker)
    if as_json:
        everything = {
            "clips": shown,
            "runs": trained,
            "queues": depths,
            "oldest_s": ages,
            "services": services,
        }
        typer.echo(msgspec.json.format(msgspec.json.encode(everything), indent=2).decode())
        return
    console = Console()
    console.print(_clips(shown))
    if trained:
        console.print(runs.table(trained))
    console.print(_services(services))
    for one in services:
        if one.note:
            console.print(f"{one.name}: {one.note}", markup=False, soft_wrap=True)
    waiting = ", ".join(_waiting(name, depths[name], ages) for name in depths)
    console.print(f"waiting: {waiting}", soft_wrap=True)
    if depths["dead"]:
        console.print("given up: see `reelmood dead list`")


def _waiting(name: str, depth: int, ages: dict[str, float]) -> str:
    return f"{depth} {name}" + (f" (oldest {ages[name]:.0f} s)" if depth and name in ages else "")


def _clips(shown: list[clips.Clip]) -> Table:
    table = Table("clip", "state", "frames", "faces", "read", "tracks", "model", "", box=None, pad_edge=False)
    for clip in shown:
        frames = f"{clip.frames}/{clip.frames_expected}" if clip.frames_expected else str(clip.frames)
        figures = [frames, str(clip.faces), str(clip.done), str(clip.tracks)]
        table.add_row(escape(clip.name), clip.state, *figures, escape(clip.model), escape(_remark(clip)))
    return table


def _remark(clip: clips.Clip) -> str:
    """Return what is wrong with a clip, or how far a live source is behind and what it had to drop."""
    dropped = [f"{count} {reason}" for reason, count in clip.dropped.items()]
    parts = [
        clip.error or clip.held,
        f"live, {clip.latency_s:.2f} s behind" if clip.live and clip.latency_s else "",
        f"dropped: {', '.join(dropped)}" if dropped else "",
    ]
    return "; ".join(part for part in parts if part)


def _services(services: list[presence.Service]) -> Table:
    table = Table("service", "kind", "pid", "device", "model", "handled", "rate", box=None, pad_edge=False)
    for one in services:
        rate = f"{one.rate:.1f}/s" if one.rate else ""
        table.add_row(one.name, one.kind, str(one.pid), one.device, one.model, str(one.handled), rate)
    return table
