"""Orders of elimination."""

import numpy as np
from ase.build import bulk
from hypothesis import given
from random_springs import cells, springs

from vibentropy.labels.block_matrix import from_parts
from vibentropy.labels.dissection import dissect


@given(cells())
def test_every_vertex_is_eliminated_once_and_after_what_it_sees(case):
    atoms, random = case
    matrix = from_parts(springs(atoms, random))
    plan = dissect(matrix, atoms)
    pivots = np.concatenate([front.pivots for front in plan.fronts])
    n_vertices = len(matrix.first) - 1
    assert sorted([*pivots.tolist(), plan.pinned]) == list(range(n_vertices))
    for place, front in enumerate(plan.fronts):
        assert all(child < place for child in front.children)
        # What a pivot sees is in the front, or was eliminated before.
        members = {*front.pivots.tolist(), *front.border.tolist(), plan.pinned}
        for vertex in front.pivots:
            for other in matrix.neighbour[matrix.first[vertex] : matrix.first[vertex + 1]]:
                assert other in members or plan.rank[other] < plan.rank[front.pivots[0]]
    assert plan.fronts[-1].n_border == 0
    assert (dissect(matrix, atoms, pin=False).rank >= 0).all()


@given(cells())
def test_what_waits_on_disk_is_not_in_memory(case):
    atoms, random = case
    plan = dissect(from_parts(springs(atoms, random)), atoms)
    largest = max(front.panel_bytes + front.update_bytes for front in plan.fronts)
    assert plan.on_disk(plan.peak_bytes()) == set()
    for memory in (0, (largest + plan.peak_bytes()) // 2):
        on_disk = plan.on_disk(memory)
        assert largest <= plan.peak_bytes(on_disk) <= plan.peak_bytes()
        assert plan.peak_bytes(on_disk) <= memory or memory == 0


def test_cost_grows_with_the_square_and_memory_with_less(iron):
    sizes, flops, peaks = [], [], []
    for n in (8, 12, 16):
        atoms = bulk("Fe", cubic=True, a=2.8553127).repeat(n)
        plan = dissect(from_parts(iron.hessian_parts(atoms)), atoms)
        sizes.append(len(atoms))
        flops.append(plan.flops)
        peaks.append(plan.peak_bytes())
    slopes = [np.polyfit(np.log(sizes), np.log(values), 1)[0] for values in (flops, peaks)]
    assert slopes[0] < 2.25
    assert slopes[1] < 1.45
    # A dense factor takes 9 n³.
    assert flops[-1] < 0.1 * 9 * sizes[-1] ** 3
