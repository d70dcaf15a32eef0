"""What a run prints: a line per stage, how far it is and how long it will still take, and why a job failed.

Snakemake prints up to twenty lines for each job, most of them names of files. `shorten` changes the format of what it
writes to the terminal; the log below ``.snakemake/log`` has everything as before.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import isnan
from pathlib import Path
from typing import Any

from vibentropy.files.facts import counted
from vibentropy.files.progress import duration

#: Name that Snakemake gives to what writes to the terminal.
TERMINAL = "DefaultStreamHandler"

#: Lines of the log of a failed job that are shown.
LINES_OF_LOG = 8

#: Seconds between two lines on a stage that has not ended; in long runs this part of the time since the beginning.
SECONDS_BETWEEN, PART_BETWEEN = 20.0, 0.1

#: Seconds that a job which draws a figure or writes a table is expected to take.
OTHERS = 5.0

#: Rules that stand for a whole run, of which nothing is to be said, and the one that makes what is read first.
TARGETS, PAGE = ("all", "everything"), "page"

#: What Snakemake says of itself and not of the run.
_CHATTER = (
    *("Assuming unrestricted shared", "Building DAG of jobs", "Using shell:", "Conda environments:", "Group jobs:"),
    *("Singularity containers:", "Select jobs to execute", "Execute ", "Elapsed time:", "Complete log(s):"),
)

#: Events that are counted, or of no use without the rest of Snakemake's output.
_SILENT = {"resources_info", "job_info", "group_info", "job_started", "progress", "shellcmd"}


class Pace:
    """How fast the jobs of a run are done, and how long the others will take.

    Parameters
    ----------
    jobs : dict of int
        By rule.
    seconds : dict of float
        That a job is expected to take, by rule; NaN where that is unknown. Those of other rules take `OTHERS`.
    """

    def __init__(self, jobs: Mapping[str, int], seconds: Mapping[str, float]) -> None:
        self.jobs = dict(jobs)
        self.done: Counter[str] = Counter()
        self.failed: set[int] = set()
        self._expected = seconds
        self._running: dict[int, tuple[str, float]] = {}
        self._taken: dict[str, float] = defaultdict(float)
        self._side_by_side = 1

    def start(self, job: int, rule: str) -> None:
        """Take note that a job begins, again if it has failed before.

        Parameters
        ----------
        job : int
        rule : str
        """
        self.failed.discard(job)
        self._running[job] = rule, time.monotonic()
        self._side_by_side = max(self._side_by_side, len(self._running))

    def fail(self, job: int) -> None:
        """Take note that a job has failed.

        Parameters
        ----------
        job : int
        """
        self._running.pop(job, None)
        self.failed.add(job)

    def finish(self, job: int) -> str | None:
        """Take note that a job is done.

        Parameters
        ----------
        job : int

        Returns
        -------
        str or None
            Its rule, if it is known to have begun.
        """
        rule, start = self._running.pop(job, (None, 0.0))
        if rule is not None:
            self.done[rule] += 1
            self._taken[rule] += time.monotonic() - start
        return rule

    def left(self) -> float:
        """Estimate how long the run will still take.

        Returns
        -------
        float
            Seconds, from what jobs of the same rule took so far or, before any is done, from what they are expected to
            take on a machine as fast as this one was; NaN where nothing is known of a rule, or a job failed.
        """
        if self.failed:
            return float("nan")
        known = [rule for rule in self.done if self._expected.get(rule, 0) > 0]
        expected = sum(self._expected[rule] * self.done[rule] for rule in known)
        slower = sum(self._taken[rule] for rule in known) / expected if expected else 1.0
        each = {
            rule: self._taken[rule] / self.done[rule] if self.done[rule] else slower * self._expected.get(rule, OTHERS)
            for rule in self.jobs
        }
        work = sum(each[rule] * (number - self.done[rule]) for rule, number in self.jobs.items())
        now = time.monotonic()
        work -= sum(min(now - start, each.get(rule, 0.0)) for rule, start in self._running.values())
        return work / self._side_by_side


class RunOutput(logging.Formatter):
    """Format and filter for what Snakemake logs to the terminal.

    Parameters
    ----------
    usual : logging.Formatter
        That of Snakemake, for what is said as it was.
    """

    def __init__(self, usual: logging.Formatter | None) -> None:
        super().__init__()
        self._usual = usual or logging.Formatter()
        self._seconds: dict[str, float] = {}
        self._first_pages: dict[str, str] = {}
        # The first is no rule: Snakemake counts all jobs under it. A workflow of modules has a target of its own.
        self._unsaid = {"total", "all"}
        self._pace = Pace({}, self._seconds)
        self._begin = self._said = time.monotonic()

    def expect(self, seconds: Mapping[str, float], first_page: str, named: Callable[[str], str]) -> None:
        """Take note of a run, one of several where a workflow has several modules.

        Parameters
        ----------
        seconds, first_page, named
            See `shorten`.
        """
        self._seconds |= {named(rule): number for rule, number in seconds.items()}
        self._first_pages[named(PAGE)] = first_page
        self._unsaid |= {named(rule) for rule in TARGETS}

    def filter(self, record: logging.LogRecord) -> bool:
        """Count jobs, and choose what is shown.

        Parameters
        ----------
        record : logging.LogRecord

        Returns
        -------
        bool
        """
        event = getattr(record, "event", None)
        if event == "job_info":
            self._pace.start(record.__dict__["jobid"], record.__dict__["rule_name"])
        if event == "error":
            # The error of a job has been said, with the end of its log; this is the command that ended with it.
            return "CalledProcessError" not in str(record.msg)
        return event not in _SILENT and _of_the_run(record)

    def format(self, record: logging.LogRecord) -> str:
        """Put a record into words.

        Parameters
        ----------
        record : logging.LogRecord

        Returns
        -------
        str
            Empty for a job that ends within its stage soon after the last line.
        """
        says = {
            "run_info": self._begun,
            "job_finished": self._finished,
            "job_error": self._failed,
            "group_error": self._failed_together,
        }
        said = says.get(getattr(record, "event", None) or "")
        return said(record.__dict__) if said else self._usual.format(record)

    def _begun(self, event):
        """Say what is to be done, rules in the order in which they come."""
        jobs = {rule: number for rule, number in event["stats"].items() if rule not in self._unsaid}
        self._pace = Pace(jobs, self._seconds)
        self._begin = self._said = time.monotonic()
        listed = ", ".join(f"{number} {rule}" for rule, number in jobs.items())
        return f"{counted(sum(jobs.values()), 'job')} to do: {listed}" if jobs else ""

    def _finished(self, event):
        """Line on the stage of a job, when it is complete or nothing was said for a while."""
        pace, now = self._pace, time.monotonic()
        rule = pace.finish(event["job_id"])
        if rule not in pace.jobs:
            return ""
        complete = pace.done[rule] == pace.jobs[rule]
        if not complete and now - self._said < max(SECONDS_BETWEEN, PART_BETWEEN * (now - self._begin)):
            return ""
        self._said = now
        done, total = (sum(of[name] for name in pace.jobs) for of in (pace.done, pace.jobs))
        line = f"{time.strftime('%H:%M')}  {rule:<16}{f'{pace.done[rule]} of {pace.jobs[rule]}':>14}"
        if done == total:
            line += f"   all {counted(total, 'job')} done in {duration(now - self._begin)}"
            made = [page for rule, page in self._first_pages.items() if rule in pace.jobs]
            return f"{line}\nRead {' and '.join(made)} first." if made else line
        left = pace.left()
        line += f"   {done} of {counted(total, 'job')}"
        return line if isnan(left) else f"{line}, about {duration(left)} left"

    def _failed(self, event):
        """Say which job has failed, and the end of its log."""
        self._pace.fail(event["jobid"])
        return "\n".join([f"error: {_named(event)} failed{_elsewhere(event)}", *_ends(event["log"])])

    def _failed_together(self, event):
        """Which jobs were submitted together, one of which has failed; Snakemake logs each of them next."""
        return "\n".join([f"error: the jobs of group {event['groupid']} failed together", *_ends(event["aux_logs"])])


class PlannedOutput(logging.Formatter):
    """Format for what a dry run lists: jobs with what they write, without what they read and why.

    Parameters
    ----------
    usual : logging.Formatter
        That of Snakemake.
    """

    def __init__(self, usual: logging.Formatter | None) -> None:
        super().__init__()
        self._usual = usual or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Put a record into words.

        Parameters
        ----------
        record : logging.LogRecord

        Returns
        -------
        str
        """
        if getattr(record, "event", None) == "job_info":
            unsaid: dict[str, Any] = {"input": [], "log": [], "benchmark": None, "reason": None, "resources": {}}
            record = logging.makeLogRecord(record.__dict__ | unsaid)
        return self._usual.format(record)


def shorten(
    logger: logging.Logger,
    seconds: Mapping[str, float],
    first_page: str,
    *,
    planned: bool,
    named: Callable[[str], str] = str,
) -> None:
    """Have a run print a page, and a dry run its jobs without the files that they read.

    Parameters
    ----------
    logger : logging.Logger
        That of Snakemake. If it does not write to the terminal by itself (`snakemake --logger`), it stays as it is.
    seconds : dict of float
        See `Pace`.
    first_page : str
        File that people read first once it has been made.
    planned : bool
        Whether nothing is run.
    named : callable, optional
        Name of a rule in the workflow at hand, which may have this one as a module and call its rules otherwise.
    """
    for handler in logger.handlers:
        if handler.name != TERMINAL:
            continue
        if planned:
            handler.addFilter(_of_the_run)
            handler.setFormatter(PlannedOutput(handler.formatter))
            continue
        # There since another module was read, or this one for another of its rules.
        output = handler.formatter
        if not isinstance(output, RunOutput):
            output = RunOutput(output)
            handler.addFilter(output.filter)
            handler.setFormatter(output)
        output.expect(seconds, first_page, named)


def _of_the_run(record):
    """Whether a record says more than how Snakemake works."""
    event = getattr(record, "event", None)
    if event is None and record.levelno <= logging.INFO:
        return not str(record.msg or "").lstrip().startswith(_CHATTER)
    return event != "workflow_started"


def _named(event):
    """Rule and outputs of a job."""
    output: Sequence[str] = event["output"]
    return f"{event['rule_name']} ({output[0]}{', ...' if len(output) > 1 else ''})" if output else event["rule_name"]


def _elsewhere(event):
    """Which job of a cluster it was."""
    number = event["aux"].get("external_jobid")
    return f", job {number} of the cluster" if number else ""


def _ends(logs):
    """Last lines of logs."""
    lines = []
    for log in logs:
        lines.append(f"  the end of {log}:")
        said: deque[str] = deque()
        with suppress(OSError, UnicodeDecodeError), open(Path(log), encoding="utf-8") as file:
            said = deque((line.rstrip() for line in file if line.strip()), LINES_OF_LOG)
        lines += [f"    {line}" for line in said or ["(nothing)"]]
    return lines
