"""Runs of the workflow whose jobs and whose own process are killed again and again until they come to an end."""

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import ExitStack, suppress

import psutil
from workflow_runs import HANGS

#: Scripts of the stages, and what is killed in each: a job with all its processes, early or at work; the process with
#: LAMMPS alone; the workflow with everything below it.
KILLS = {
    "structures": ["engine", "job", "workflow", "job at work"],
    "label": ["job", "job at work"],
    "configurations": ["job at work"],
    "features": ["job", "workflow", "job at work"],
    "folds": ["job"],
    "fit": ["job at work"],
    "evaluate": ["workflow", "job at work"],
    "figures": ["job"],
}


def new_job(workflow, seen):
    """A process of a workflow that runs the script of a stage and was not seen before, and the name of the script."""
    for process in psutil.Process(workflow.pid).children(recursive=True):
        with suppress(psutil.Error):
            script = re.search(r"/tmp\w+\.(\w+)\.py$", " ".join(process.cmdline()))
            if script and script[1] in KILLS and process.pid not in seen and process.name().startswith("python"):
                seen.add(process.pid)
                return process, script[1]
    return None, None


def end(workflow):
    """Kill a workflow and everything below it, all at once."""
    if workflow.poll() is None:
        below = psutil.Process(workflow.pid).children(recursive=True)
        os.killpg(workflow.pid, signal.SIGKILL)
        workflow.wait()
        assert not psutil.wait_procs(below, timeout=20)[1]


def kill(workflow, job, victim, delay):
    """Kill as told, when the moment has come and a random time after it has passed."""
    if victim == "workflow":
        time.sleep(delay)
        end(workflow)
        return
    if victim == "engine":
        while not (engines := [child for child in job.children() if "_serve" in " ".join(child.cmdline())]):
            time.sleep(0.01)
        (job,) = engines
    if victim == "job at work":
        while not any(file.path.endswith(".log") for file in job.open_files()):
            time.sleep(0.01)
    time.sleep(delay / 5)
    below = job.children(recursive=True)
    job.kill()
    for process in below:
        process.kill()


def run_with_kills(command, environment, output):
    """Run the workflow until it ends, with the kills of `KILLS`, each at a random moment.

    Returns
    -------
    collections.Counter
        Number of kills by stage.
    """
    draw = random.Random(6)
    waiting = {stage: list(victims) for stage, victims in KILLS.items()}
    kills, seen, status = Counter(), set(), None
    while status != 0:
        # Jobs are killed more often than a cluster would put up with.
        program = [*command, "--retries", "9"]
        with open(output, "w") as file, ExitStack() as stack:
            workflow = subprocess.Popen(
                program, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
            stack.callback(end, workflow)
            while workflow.poll() is None:
                with suppress(psutil.Error):  # The job, or all of them, came to an end first.
                    job, stage = new_job(workflow, seen)
                    if job and waiting[stage]:
                        kill(workflow, job, waiting[stage][0], draw.uniform(0, 1.5))
                        waiting[stage].pop(0)
                        kills[stage] += 1
                time.sleep(0.02)
        status = workflow.returncode
        assert status in (0, -signal.SIGKILL), output.read_text()
        if status:
            subprocess.run([*command, "--unlock"], env=environment, check=True, capture_output=True, timeout=HANGS)
    return kills
