from vibentropy.datasets.store import load_table
from vibentropy.files.logs import logged
from vibentropy.studies.site_maps import chosen_minima

with logged(snakemake.log[0]) as progress:
    source, params = snakemake.input.configurations, snakemake.params
    minima = chosen_minima(source, load_table(source), params.exclude_duplicates, params.minima)
    progress.note(minima.table[["id", "defect_class", "formation_energy", "formation_entropy"]].to_string(index=False))
    minima.save(snakemake.output[0])
