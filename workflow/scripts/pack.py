import numpy as np

from vibentropy.atoms.crystal import Crystal
from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import SITE_ENTROPY, usable
from vibentropy.files.logs import logged
from vibentropy.potentials.from_config import identity, load_potential
from vibentropy.run.provenance import attributes
from vibentropy.sources import archives

with logged(snakemake.log[0]) as progress:
    table = load_table(snakemake.input.configurations)
    mine = (table["dataset"] == snakemake.wildcards.dataset).to_numpy()
    configurations = ConfigurationSet.load(snakemake.input.configurations, mine & usable(table))
    progress.expect(len(configurations))
    crystal = Crystal.load(snakemake.input.lattice)
    configurations = archives.rounded(configurations, crystal)
    potential = load_potential(snakemake.params.potential)
    for index, atoms in enumerate(configurations.frames):
        # Those of the file, not those before rounding.
        _, forces = potential.energy_and_forces(atoms)
        configurations.table.loc[index, "max_force"] = np.linalg.norm(forces, axis=1).max()
        progress(configurations.table["id"][index])
    frames = dict(zip(configurations.table["id"], configurations.frames, strict=True))
    for path in snakemake.input.resolved:
        resolved = ConfigurationSet.load(path)
        for name, atoms in zip(resolved.table["id"], resolved.frames, strict=True):
            if name in frames:
                frames[name].set_array(SITE_ENTROPY, atoms.arrays[SITE_ENTROPY])
    archives.write_archive(
        snakemake.output[0],
        configurations,
        crystal,
        potential=identity(snakemake.params.potential),
        **attributes(snakemake.config, snakemake.input, sections=["data"]),
    )
