"""Blocks of recipes: what they ask of a cell. Keys and defaults are compared with the schema in test_source.py."""

from vibentropy.sources.recipe_blocks import ClusterKind, Defect
from vibentropy.sources.seeds import Cluster


def test_kinds_of_clusters_count_what_they_change():
    kind = ClusterKind.from_block({"vacancies": {"Al": 2}, "interstitials": 1, "solutes": {"P": 1, "Al_Fe": 3}})
    assert kind.changed == 7
    assert kind.taken == [("Al", 2), (None, 1), ("Fe", 3)]


def test_clusters_of_a_class_have_its_solutes():
    defect = Defect.from_block(
        {"vacancies": 1, "solutes": {"P": 2}, "shells": [1, 2], "clusters": 2, "trajectories": 3, "cells": [[3, 3, 3]]}
    )
    assert defect.clusters_of_a_cell == (Cluster("random", 0, 1, None, {"P": 2}, (1, 2)),) * 2
    assert defect.cells == ((3, 3, 3),)
    assert defect.without_effect() == ["vacancies", "clusters", "solutes", "shells"]
    mixed = Defect.from_block({"mixture": [{"vacancies": 1}, {"solutes": {"P": 1}}], "trajectories": 1})
    assert [total.solutes for total in mixed.clusters_of_a_cell] == [{}, {"P": 1}]
    # Nothing but what is dissolved.
    assert Defect.from_block({"composition": {"P": 0.1}, "trajectories": 1}).clusters_of_a_cell == ()
