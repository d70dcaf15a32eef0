"""The workflow as its users run it: in folders of its own."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


TINY = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8"))


#: Times differ between runs, figures and tables do not.
VOLATILE = ("logs", "benchmarks")


def command(folder, config, *arguments, cores=2):
    """Command that runs the workflow on a configuration of its own, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "my own.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    program = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", path]
    return [*program, "--directory", folder, "--cores", str(cores), *arguments]


def snakemake(folder, config, *arguments):
    """Run the workflow; status and output."""
    finished = subprocess.run(
        command(folder, config, *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    return finished.returncode, finished.stdout


def digests(results):
    """Hash of every lasting file below a folder."""
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.is_file() and path.relative_to(results).parts[0] not in VOLATILE
    }


#: Name and text of every rule; those of loops have none of their own.
RULES = {
    match[1] or f"{file.stem}:{match.start()}": match[2]
    for file in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for match in re.finditer(
        r"^ *rule ?(\w*):\n(.*?)(?=^ *rule\b|^\S|\Z)", file.read_text(encoding="utf-8"), re.M | re.S
    )
}
