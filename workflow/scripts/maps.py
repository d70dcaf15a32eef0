import ase.io
import pandas as pd

from vibentropy.files.atomic import atomic
from vibentropy.files.logs import logged
from vibentropy.files.tables import save_table
from vibentropy.report.figures.site_maps import map_figure
from vibentropy.report.figures.style import save_figure
from vibentropy.report.html import write_page
from vibentropy.run.provenance import checksums, origin
from vibentropy.studies.site_maps import comparison

with logged(snakemake.log[0]):
    output = snakemake.output
    paths = dict(zip(snakemake.params.models, snakemake.input.maps, strict=True))
    frames = {model: ase.io.read(path, index=":") for model, path in paths.items()}
    tables = [comparison(of_model).assign(model=model) for model, of_model in frames.items()]
    save_table(pd.concat(tables).set_index("model").reset_index(), output.table)
    write_page(output.table, output.page, "Shares of atoms, exact and predicted")
    figure = map_figure(frames)
    save_figure(figure, output.figure, output.figure_pdf, source=origin(snakemake.config, ["maps"]))
    with atomic(output.checksums) as path:
        made = {*paths.values(), *output} - {output.checksums}
        path.write_text(checksums(made, path.parent), encoding="utf-8")
