from vibentropy import plotting
from vibentropy.evaluation import load_predictions
from vibentropy.progress import logged

with logged(snakemake.log[0]):
    predictions = load_predictions(*snakemake.input.predictions)
    plotting.save(plotting.parity(predictions), snakemake.output.parity, snakemake.output.parity_pdf)
    plotting.save(
        plotting.extrapolation(predictions), snakemake.output.extrapolation, snakemake.output.extrapolation_pdf
    )
