"""The expression model: `build` makes one with new weights, `load` brings one from a model folder."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.poster.checkpoints import load
    from shared.poster.sizes import build

__all__ = ["build", "load"]


def __getattr__(name: str) -> Any:
    # Lazy, because configs and model folders are also read by processes that start without torch.
    if name == "build":
        from shared.poster.sizes import build

        return build
    if name == "load":
        from shared.poster.checkpoints import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
