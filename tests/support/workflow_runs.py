"""The workflow as its users run it: in folders of its own."""

import fcntl
import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import yaml

ROOT = Path(__file__).resolve().parents[2]

#: Seconds after which a command counts as hanging: a quarter of an hour of one machine is an hour of another.
HANGS = 3600


TINY = yaml.safe_load((ROOT / "workflow/configs/tiny.yaml").read_text(encoding="utf-8"))


#: Times differ between runs, figures and tables do not.
VOLATILE = ("logs", "benchmarks", "ro-crate-metadata.json")


def command(folder, config, *arguments, cores=2):
    """Command that runs the workflow on a configuration of its own, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "my own.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")
    program = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", path]
    return [*program, "--directory", folder, "--cores", str(cores), *arguments]


def snakemake(folder, config, *arguments):
    """Run the workflow; status and output."""
    finished = subprocess.run(
        command(folder, config, *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=HANGS
    )
    return finished.returncode, finished.stdout


def digests(results):
    """Hash of every lasting file below a folder."""
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(results.rglob("*"))
        if path.is_file() and path.relative_to(results).parts[0] not in VOLATILE
    }


def like_the_repository(folder):
    """Make a folder in which commands of the pages can be run, beside others that are run in the repository."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.yaml", "data", "workflow"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def _tiny(folder):
    return command(folder, TINY | {"results": "results"})


def _default(folder):
    like_the_repository(folder)
    return [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "2"]


#: Classes of defects that the run from scratch goes without, by data set.
LEFT_OUT = {"train": ("I3", "V3"), "test_432": ("I3", "V4")}


def _scratch(folder):
    """A third of the trajectories that users have, fewer classes, no largest cells: still enough to learn from."""
    config = yaml.safe_load((ROOT / "workflow/configs/scratch.yaml").read_text(encoding="utf-8"))
    datasets = config["datasets"]
    del datasets["test_1024"]
    for name in ("train", "test_432"):
        datasets[name]["recipe"]["defects"] = {
            of: defect for of, defect in datasets[name]["recipe"]["defects"].items() if of not in LEFT_OUT[name]
        }
    for block in config["datasets"].values():
        for defect in block["recipe"]["defects"].values():
            defect["trajectories"] = (defect["trajectories"] + 2) // 3
    return command(folder, config | {"results": "results"})


#: Runs that several tests look at or that take minutes, by the name of their fixture: folders and commands.
SHARED = {
    "tiny": ("tiny run é", _tiny),
    "default_run": ("default run é", _default),
    "scratch_run": ("run from scratch é", _scratch),
}


class SharedRuns:
    """Runs that several tests look at, each made once, by the first of pytest's processes that asks for it.

    Parameters
    ----------
    folder : path-like
        Where they are made, the same for all processes.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._environment = dict(os.environ)  # as it is before tests change it

    def results(self, name):
        """Folder of the results of a run that has ended well; whoever comes second waits for it.

        Parameters
        ----------
        name : str
            Of `SHARED`.
        """
        folder_name, make_command = SHARED[name]
        return self.made(folder_name, lambda folder: self._run(make_command(folder), folder)) / "results"

    def made(self, name, make):
        """Folder that is filled by the first who asks; whoever comes second waits for it.

        Parameters
        ----------
        name : str
        make : callable
            Fills a folder; returns status, 0 if all is well, and output.
        """
        folder, status, log = (self.folder / f"{name}{ending}" for ending in ("", ".status", ".log"))
        with open(self.folder / f"{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not status.exists():
                status.write_text("not ended", encoding="utf-8")
                log.touch()
                folder.mkdir(exist_ok=True)
                code, output = make(folder)
                log.write_text(output, encoding="utf-8")
                status.write_text(str(code), encoding="utf-8")
        assert status.read_text(encoding="utf-8") == "0", log.read_text(encoding="utf-8")
        return folder

    def _run(self, program, folder):
        """Status and output of a command."""
        with TemporaryFile("w+", encoding="utf-8") as output:
            process = subprocess.Popen(
                program,
                cwd=folder,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(HANGS)
                output.seek(0)
                return code, output.read()
            finally:  # With all its jobs, whatever ends the wait.
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


#: Name and text of every rule; those of loops have none of their own.
RULES = {
    match[1] or f"{file.stem}:{match.start()}": match[2]
    for file in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for match in re.finditer(
        r"^ *rule ?(\w*):\n(.*?)(?=^ *rule\b|^\S|\Z)", file.read_text(encoding="utf-8"), re.M | re.S
    )
}
