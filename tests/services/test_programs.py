"""The processes of one machine."""

from services import programs
from shared.settings import Settings


def _ports(settings: Settings, workers: int) -> dict[str, str]:
    everything = programs.analysis(settings, workers, watch=True)
    return {one.name: one.environment["REELMOOD_METRICS_PORT"] for one in everything}


def test_every_process_has_a_metrics_port_of_its_own(settings: Settings) -> None:
    told = settings.model_copy(update={"metrics_port": 9100})
    ports = _ports(told, 2)
    assert sorted(ports.values()) == [str(port) for port in range(9100, 9106)]
    assert ports["watcher"] == "9100"
    more = _ports(told, 3)
    assert {name: more[name] for name in ports} == ports


def test_a_trainer_has_one_too_where_it_is_asked_for(settings: Settings) -> None:
    told = settings.model_copy(update={"metrics_port": 9100})
    with_trainer = programs.analysis(told, 1, watch=True, train=True)
    names = [one.name for one in with_trainer]
    assert "trainer" in names
    assert len({one.environment["REELMOOD_METRICS_PORT"] for one in with_trainer}) == len(names)
    assert "trainer" not in _ports(told, 1)


def test_none_has_one_unless_it_is_asked_for(settings: Settings) -> None:
    assert set(_ports(settings, 2).values()) == {"0"}
