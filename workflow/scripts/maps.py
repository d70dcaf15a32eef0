import ase.io
import pandas as pd

from vibentropy import plotting
from vibentropy.evaluation import save_table
from vibentropy.maps import comparison
from vibentropy.progress import logged
from vibentropy.provenance import checksums, label
from vibentropy.storage import atomic
from vibentropy.table_page import write_page

with logged(snakemake.log[0]):
    output = snakemake.output
    paths = dict(zip(snakemake.params.models, snakemake.input.maps, strict=True))
    frames = {model: ase.io.read(path, index=":") for model, path in paths.items()}
    tables = [comparison(of_model).assign(model=model) for model, of_model in frames.items()]
    save_table(pd.concat(tables).set_index("model").reset_index(), output.table)
    write_page(output.table, output.page, "Shares of atoms, exact and predicted")
    figure = plotting.maps(frames)
    plotting.save(figure, output.figure, output.figure_pdf, source=label(snakemake.config))
    with atomic(output.checksums) as path:
        made = {*paths.values(), *output} - {output.checksums}
        path.write_text(checksums(made, path.parent), encoding="utf-8")
