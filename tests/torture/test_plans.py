"""What the matrix promises of itself: enough points and faults, and a seed that always means the same run."""

from __future__ import annotations

import pytest

from providers.sandbox.faults import Fault
from torture import points
from torture.faults import EVERYWHERE, FAULTS
from torture.matrix import cells, every_fault, every_point
from torture.plan import plan
from torture.points import POINTS, Trap
from torture.work import STAGES


def test_the_matrix_is_as_large_as_it_says() -> None:
    assert len(POINTS) >= 12
    assert len(set(FAULTS) - {"none"}) >= 9
    assert {point.stage for point in POINTS.values()} >= {"submit", "sync", "settle", "refill", "cancel", "deposit"}
    assert {point.stage for point in POINTS.values()} <= set(STAGES)


def test_a_seed_means_one_run_for_ever() -> None:
    assert plan("submit:marked", "reset", 7) == plan("submit:marked", "reset", 7)
    assert plan("submit:marked", "reset", 7) != plan("submit:marked", "reset", 8)
    names = [each.name for each in cells(every_point(), every_fault(), range(1, 3))]
    assert names == [each.name for each in cells(every_point(), every_fault(), range(1, 3))]
    assert len(set(names)) == 2 * len(POINTS) * len(FAULTS)


@pytest.mark.parametrize("seed", range(20))
def test_every_order_has_a_link_of_its_own(seed: int) -> None:
    drawn = plan("submit:marked", "none", seed)
    wanted = [drawn.before, drawn.afterwards, *(each for batch in drawn.batches for each in batch)]
    assert len({each.link for each in wanted}) == len(wanted)
    assert 5 <= len(wanted) <= 15


@pytest.mark.parametrize("name", list(FAULTS))
def test_every_form_of_a_fault_is_one_of_the_sandboxs(name: str) -> None:
    for kind in FAULTS[name]:
        assert set(kind.actions) <= set(EVERYWHERE)
        assert Fault(action=kind.actions[0], kind=kind.kind, argument=kind.argument).kind == kind.kind


@pytest.mark.parametrize("name", list(POINTS))
def test_every_point_is_in_the_product(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[str] = []

    def put(owner: object, attribute: str, wrapper: object) -> None:
        assert callable(getattr(owner, attribute))
        reached.append(attribute)

    monkeypatch.setattr(points, "_put", put)
    POINTS[name].install(Trap(1))
    assert reached
