from vibentropy import plotting
from vibentropy.benchmark import gather, largest, load, scaling
from vibentropy.evaluation import save_table
from vibentropy.progress import logged

with logged(snakemake.log[0]) as progress:
    table = gather(load(*snakemake.input.measurements))
    growth = scaling(table)
    progress.note(largest(table).to_string(index=False))
    progress.note(growth.to_string(index=False))
    save_table(table, snakemake.output.table)
    save_table(growth, snakemake.output.scaling)
    plotting.save(plotting.cost(table), snakemake.output.cost, snakemake.output.cost_pdf)
    plotting.save(plotting.speed(table), snakemake.output.speed, snakemake.output.speed_pdf)
