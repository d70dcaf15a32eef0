import numpy as np

from vibentropy import plotting
from vibentropy.dataset import ConfigurationSet, load_table, usable
from vibentropy.evaluation import save_table
from vibentropy.labels import perfect_crystals
from vibentropy.progress import logged
from vibentropy.provenance import checksums, label
from vibentropy.storage import atomic
from vibentropy.table_page import write_page
from vibentropy.thermodynamics import compensation, equilibrium, lowest_minima, multiplicity

with logged(snakemake.log[0]):
    source, output = label(snakemake.config), snakemake.output
    table = load_table(snakemake.input.configurations)
    table = table[usable(table, snakemake.params.exclude_duplicates) & (table["role"] == "train")]

    minima = lowest_minima(table)
    frames = ConfigurationSet.load(snakemake.input.configurations, minima.index.to_numpy()).frames
    datasets = snakemake.params.datasets
    crystals = [
        perfect_crystals(datasets[row["dataset"]], snakemake.input.lattice)(row, atoms.cell)
        for atoms, row in zip(frames, minima.to_dict("records"), strict=True)
    ]
    multiplicities = [multiplicity(*pair) for pair in zip(frames, crystals, strict=True)]
    lowest, highest = snakemake.params.temperatures["lowest"], snakemake.params.temperatures["highest"]
    rows = equilibrium(minima, multiplicities, np.linspace(lowest, highest, 61))
    lines = compensation(table)
    save_table(rows, output.equilibrium)
    write_page(output.equilibrium, output.equilibrium_page, "Free energies and equilibrium concentrations")
    save_table(lines, output.compensation)
    write_page(output.compensation, output.compensation_page, "Energy against entropy, by class")
    plotting.save(plotting.free_energy(rows), output.free_energy, output.free_energy_pdf, source=source)
    figure = plotting.compensation(table[table["formation_energy"].notna()], lines)
    plotting.save(figure, output.compensation_png, output.compensation_pdf, source=source)
    with atomic(output.checksums) as path:
        path.write_text(checksums(set(output) - {output.checksums}, path.parent), encoding="utf-8")
