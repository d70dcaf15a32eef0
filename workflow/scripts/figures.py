import pandas as pd

from vibentropy import plotting
from vibentropy.progress import logged

with logged(snakemake.log[0]):
    predictions = pd.concat([pd.read_csv(path) for path in snakemake.input.predictions])
    plotting.save(plotting.parity(predictions), snakemake.output.parity, snakemake.output.parity_pdf)
    plotting.save(
        plotting.extrapolation(predictions), snakemake.output.extrapolation, snakemake.output.extrapolation_pdf
    )
