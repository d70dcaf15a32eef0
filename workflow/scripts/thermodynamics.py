import numpy as np

from vibentropy.datasets.store import ConfigurationSet, load_table
from vibentropy.datasets.table import usable
from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.figures.style import save_figure
from vibentropy.report.figures.thermodynamics import compensation_figure, free_energy_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import checksums, origin
from vibentropy.sources.source import source_of
from vibentropy.studies.multiplicity import multiplicity
from vibentropy.studies.thermodynamics import compensation, equilibrium, lowest_minima

with logged(snakemake.log[0]):
    source, output = origin(snakemake.config, ["thermodynamics"]), snakemake.output
    table = load_table(snakemake.input.configurations)
    table = table[usable(table, snakemake.params.exclude_duplicates) & (table["role"] == "train")]

    minima = lowest_minima(table)
    frames = ConfigurationSet.load(snakemake.input.configurations, minima.index.to_numpy()).frames
    datasets = snakemake.params.datasets
    perfect = {
        name: source_of(name, datasets[name]).perfect(snakemake.input.lattice) for name in set(minima["dataset"])
    }
    crystals = [
        perfect[row["dataset"]](row, atoms.cell) for atoms, row in zip(frames, minima.to_dict("records"), strict=True)
    ]
    multiplicities = [multiplicity(*pair) for pair in zip(frames, crystals, strict=True)]
    lowest, highest = snakemake.params.temperatures["lowest"], snakemake.params.temperatures["highest"]
    rows = equilibrium(minima, multiplicities, np.linspace(lowest, highest, 61))
    lines = compensation(table)
    save_table(rows, output.equilibrium)
    write_page(output.equilibrium, output.equilibrium_page, "Free energies and equilibrium concentrations")
    save_table(lines, output.compensation)
    write_page(output.compensation, output.compensation_page, "Energy against entropy, by class")
    save_figure(free_energy_figure(rows), output.free_energy, output.free_energy_pdf, source=source)
    figure = compensation_figure(table[table["formation_energy"].notna()], lines)
    save_figure(figure, output.compensation_png, output.compensation_pdf, source=source)
    with atomic(output.checksums) as path:
        path.write_text(checksums(set(output) - {output.checksums}, path.parent), encoding="utf-8")
