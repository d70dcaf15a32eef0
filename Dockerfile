# The library and the workflow, which work on the folder that is mounted at /work: docs/deployment.md.
FROM python:3.13-slim
WORKDIR /opt/vibentropy
COPY pyproject.toml README.md LICENSE constraints.txt Snakefile ./
COPY descriptors descriptors
COPY profiles profiles
COPY src src
COPY workflow workflow
RUN pip install --no-cache-dir -c constraints.txt .
# Writable for whomever it runs as: caches of compiled functions.
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["snakemake", "--snakefile", "/opt/vibentropy/Snakefile"]
CMD ["--cores", "2"]
