from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.studies.shipped_files import shipped_potentials
from vibentropy.studies.shipped_potentials import shipped_row

with logged(snakemake.log[0]):
    save_table(shipped_row(shipped_potentials()[snakemake.wildcards.potential]), snakemake.output[0])
