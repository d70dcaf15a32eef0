"""The workflow on a Slurm cluster: one node, started here and stopped again, and the commands of docs/cluster.md.

Where Slurm is not installed: `apt-get install --no-install-recommends slurm-wlm munge`.
"""

import getpass
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import yaml
from pages import commands
from workflow_runs import HANGS, ROOT, RULES, digests

(COMMAND,) = [command for command in commands("docs/cluster.md") if command.startswith("snakemake ")]

#: Daemons may lie where ordinary users do not look.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])

PROFILE = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name, text in RULES.items() if re.search(r"^ *(script|shell):", text, re.M)])
def test_every_job_asks_for_memory_and_time_that_grow(name):
    assert "mem_mb=memory(" in RULES[name]
    assert "runtime=minutes(" in RULES[name]


def test_the_profile_names_rules_and_nobody():
    named = {*PROFILE["groups"], *PROFILE["set-threads"], *PROFILE["set-resources"]}
    assert named <= set(RULES)
    assert not re.search("account:|partition:|qos", yaml.safe_dump(PROFILE))


# Nothing that asks for a database, for control groups or for another user. The node may claim two cores where there is
# one: results must not depend on it.
CONFIGURATION = """\
ClusterName=vibentropy
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0
MinJobAge=7200
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory}
PartitionName=main Nodes={host} Default=YES State=UP
EnforcePartLimits=ALL
"""


def unused_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(condition, seconds, message):
    """Look twice a second, and say what went wrong."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(message())
        time.sleep(0.5)


class Cluster:
    """Slurm on this machine alone, with all its files in one folder.

    Attributes
    ----------
    environment : dict
        What programs need to find it, and what its processes are known by: supervisors of jobs are no children of ours.
    """

    def __init__(self, folder):
        self.folder = folder
        path = os.pathsep.join([str(folder / "bin"), PATH])
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}
        self.daemons = []

    def start(self):
        host = socket.gethostname().split(".")[0]
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                folder=self.folder,
                host=host,
                user=getpass.getuser(),
                controller_port=unused_port(),
                node_port=unused_port(),
                cores=max(2, os.cpu_count()),
                memory=psutil.virtual_memory().total // 2**20,
            )
        )
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        # The plugin takes this variable from the environment of `srun`; clusters have their configuration in /etc.
        srun = self.folder / "bin/srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        munge = {"key-file": key} | {f"{name}-file": self.folder / f"munge.{name}" for name in ("pid", "log", "seed")}
        self._launch(
            "munged",
            "--foreground",
            f"--socket={self.folder}/munge.socket",
            *(f"--{name}={path}" for name, path in munge.items()),
        )
        wait_until((self.folder / "munge.socket").exists, 60, self.messages)
        self._launch("slurmctld", "-D", "-i")
        self._launch("slurmd", "-D", "-N", host)
        wait_until(lambda: self.ask("sinfo", "--noheader", "--format=%T") == ["idle"], 120, self.messages)

    def _launch(self, name, *arguments):
        with open(self.folder / f"{name}.out", "w") as output:
            command = [shutil.which(name, path=PATH) or name, *arguments]
            self.daemons.append(
                subprocess.Popen(command, env=self.environment, stdout=output, stderr=subprocess.STDOUT)
            )

    def ask(self, *command):
        """Lines that a program of Slurm prints; none where it fails."""
        finished = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        return finished.stdout.splitlines() if finished.returncode == 0 else []

    def messages(self):
        """Last words of the daemons."""
        return "\n".join(
            f"{file.name}: {file.read_text(errors='replace')[-2000:]}" for file in sorted(self.folder.glob("*.out"))
        )

    def processes(self):
        """Everything that was started here or by jobs of this cluster."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("SLURM_CONF") == self.environment["SLURM_CONF"]:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def stop(self):
        self.ask("scancel", "--full", f"--user={getpass.getuser()}")
        # The node before its controller, and the keys last.
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for process in self.processes():
            process.kill()
        psutil.wait_procs(self.processes(), timeout=20)
        assert not self.processes()


@pytest.fixture(scope="module")
def cluster():
    with ExitStack() as stack:
        # Sockets have short names without spaces, and munge wants a folder that others cannot write to.
        folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        cluster = Cluster(folder)
        stack.callback(cluster.stop)
        cluster.start()
        yield cluster


def run(command, folder, environment=None):
    """Run a command of the page from where the repository is, for a folder of its own."""
    folder.mkdir()
    # The plugin waits for 40 s before it looks at jobs: right for a cluster of many, long for this one.
    command = [*command.split(), "--directory", folder]
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=HANGS
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


@pytest.mark.slow(minutes=5)
@pytest.mark.skipif(not shutil.which("sbatch"), reason="no sbatch here: install slurm-wlm and munge")
def test_the_readme_on_a_cluster_gives_the_files_of_a_local_run(cluster, tiny, tmp_path):
    assert COMMAND.endswith(" --configfile workflow/configs/tiny.yaml")
    # The local run is the one that other tests look at, whose results are in a folder of another name.
    begin = time.monotonic()
    output = run(
        f"{COMMAND} --config results=results --slurm-init-seconds-before-status-checks 1",
        tmp_path / "on the clüster",
        cluster.environment,
    )
    seconds = time.monotonic() - begin

    jobs = [line.split("|") for line in cluster.ask("squeue", "--states=all", "--noheader", "--format=%T|%C|%m|%k")]
    assert {state for state, *_ in jobs} == {"COMPLETED"}, output
    rules = {comment.partition("_wildcards_")[0] for *_, comment in jobs}
    assert rules >= {f"rule_{name}" for name in ("lattice", "table", "structures", "label", "features", "fit")}
    # All but the target itself; those that are cheap and follow upon each other share a job.
    submitted = int(re.search(r"^(\d+) jobs to do", output, re.M)[1])
    assert 0 < len(jobs) < submitted
    there = tmp_path / "on the clüster/results"
    files, others = digests(there), digests(tiny)
    assert files == others
    print(f"\nSlurm: {len(jobs)} jobs in {seconds:.0f} s, {len(files)} files, all equal to those of a local run")
