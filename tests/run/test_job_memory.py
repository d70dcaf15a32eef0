"""What jobs ask for is enough for the factors that they compute."""

import pytest
from configurations import configuration

from vibentropy.run.job_memory import spare_in_job
from vibentropy.run.memory import determinant_memory, labels_memory


@pytest.mark.parametrize("sites", [250, 3456, 16_000])
def test_jobs_have_the_memory_that_was_asked_for(sites):
    config = configuration("workflow/configs/tiny.yaml")
    assert spare_in_job(labels_memory(config, sites)) >= determinant_memory(sites) - 10**6


def test_a_job_of_less_leaves_all_on_disk():
    assert spare_in_job(500) == 0
