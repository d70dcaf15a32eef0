import ase.io
import pandas as pd

from vibentropy import plotting
from vibentropy.evaluation import save_table
from vibentropy.maps import comparison
from vibentropy.progress import logged
from vibentropy.provenance import label
from vibentropy.table_page import write_page

with logged(snakemake.log[0]):
    paths = dict(zip(snakemake.params.models, snakemake.input.maps, strict=True))
    frames = {model: ase.io.read(path, index=":") for model, path in paths.items()}
    tables = [comparison(of_model).assign(model=model) for model, of_model in frames.items()]
    save_table(pd.concat(tables).set_index("model").reset_index(), snakemake.output.table)
    write_page(snakemake.output.table, snakemake.output.page, "Shares of atoms, exact and predicted")
    figure = plotting.maps(frames)
    plotting.save(figure, snakemake.output.figure, snakemake.output.figure_pdf, source=label(snakemake.config))
