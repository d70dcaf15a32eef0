"""A trajectory of a recipe."""

from vibentropy.atoms.crystal import Crystal
from vibentropy.sources.sampling import Trajectory
from vibentropy.sources.seeds import Cluster

IRON = Crystal("Fe", "bcc", 2.8553125)


V2 = Trajectory(
    dataset="train",
    name="3x3x3-V2-0000",
    defect_class="V2",
    repetitions=(3, 3, 3),
    clusters=(Cluster("random", interstitials=0, vacancies=2, radius=5.0),),
    separation=0.0,
    strain=0.0,
    melt_radius=0.0,
    melt_temperature=0.0,
    temperature=900.0,
    time_step=0.002,
    steps_between=60,
    snapshots=1,
    max_force=1e-6,
)
