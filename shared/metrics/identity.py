"""Which process it is that tells its metrics."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Info

from shared.queues.presence import Service


def describe(registry: CollectorRegistry, service: Service) -> Callable[[Service], None]:
    """Say which process this is, on which device, with which model: `reelmood_service_info`.

    The function that is returned says it anew.
    """
    info = Info("reelmood_service", "What this process is", registry=registry)

    def tell(now: Service) -> None:
        info.info({"name": now.name, "kind": now.kind, "device": now.device, "model": now.model})

    tell(service)
    return tell
