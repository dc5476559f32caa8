"""Which process it is that tells its metrics."""

from prometheus_client import CollectorRegistry, Info

from shared.queues.presence import Service


def describe(registry: CollectorRegistry, service: Service) -> None:
    """Say which process this is, on which device, with which model: `reelmood_service_info`."""
    info = Info("reelmood_service", "What this process is", registry=registry)
    info.info({"name": service.name, "kind": service.kind, "device": service.device, "model": service.model})
