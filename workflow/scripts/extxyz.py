from vibentropy.datasets.export import write_extxyz
from vibentropy.datasets.store import load_table, stored_frames
from vibentropy.files.logs import logged

with logged(snakemake.log[0]):
    path = snakemake.input.data
    write_extxyz(snakemake.output[0], stored_frames(path), load_table(path))
