"""What a run prints: a page, with progress, time left and the ends of the logs of failed jobs."""

import io
import logging
from types import SimpleNamespace

import pytest
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from vibentropy.run import run_output
from vibentropy.run.run_output import Pace, shorten


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when a test says so."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(run_output.time, "monotonic", lambda: clock.now)
    return clock


class Run:
    """A run as Snakemake logs it to a terminal."""

    def __init__(self, planned=False, seconds=None):
        self.stream = io.StringIO()
        handler = ColorizingTextHandler(nocolor=True, stream=self.stream)
        handler.name = "DefaultStreamHandler"
        handler.setFormatter(DefaultFormatter())
        handler.addFilter(DefaultFilter(None, False, False, planned, False))
        self.logger = logging.Logger("run")
        self.logger.addHandler(handler)
        shorten(self.logger, seconds or {}, "results/summary.md", planned=planned)

    def info(self, text, **extra):
        self.logger.info(text, extra=extra)

    def plan(self, **jobs):
        total = sum(jobs.values())
        self.info(f"Job stats:\ntotal {total}", event=LogEvent.RUN_INFO, stats=jobs | {"total": total})

    def start(self, number, rule, **extra):
        said = {
            "jobid": number,
            "rule_name": rule,
            "rule_msg": None,
            "local": True,
            "is_checkpoint": False,
            "input": ["descriptors/base.py"] * 60,
            "output": [f"results/{rule}/{number}.h5"],
            "log": [],
            "benchmark": None,
            "reason": "Missing output files: " + "results/x.h5, " * 60,
            "wildcards": {"shard": str(number)},
            "priority": 0,
            "threads": 1,
            "resources": {"mem_mb": 1000},
        }
        self.info("a job", event=LogEvent.JOB_INFO, **(said | extra))

    def finish(self, number):
        self.info(f"Finished jobid: {number}", event=LogEvent.JOB_FINISHED, job_id=number)
        self.info(None, event=LogEvent.PROGRESS, done=number, total=99)

    def fail(self, number, rule, log, **aux):
        said = {"rule_msg": None, "conda_env": None, "shellcmd": None, "indent": False, "aux": aux, "input": []}
        said |= {"jobid": number, "rule_name": rule, "output": [f"results/{rule}/{number}.h5"], "log": [log]}
        self.logger.error("Error in a rule", extra=said | {"event": LogEvent.JOB_ERROR})

    @property
    def lines(self):
        return self.stream.getvalue().splitlines()


def test_many_jobs_print_a_page(clock):
    run = Run(seconds={"label": 30.0, "fit": 60.0})
    run.info("Building DAG of jobs...")
    run.info("Provided cores: 2", event=LogEvent.RESOURCES_INFO)
    run.plan(structures=20, label=200, fit=4, page=1, all=1)
    number = 0
    for rule, count in (("structures", 20), ("label", 200), ("fit", 4), ("page", 1)):
        for _ in range(count):
            number += 1
            run.info("Execute 1 jobs...")
            run.start(number, rule)
            clock.now += 30
            run.finish(number)
    assert "225 jobs to do: 20 structures, 200 label, 4 fit, 1 page" in run.lines
    assert "reason" not in run.stream.getvalue()
    assert 10 < len(run.lines) < 60
    assert all(len(line) < 100 for line in run.lines)
    # Each stage says when it is complete, and a run where to look.
    assert any(
        line.endswith("label               200 of 200   220 of 225 jobs, about 4 min left") for line in run.lines
    )
    assert run.lines[-2].endswith("page                    1 of 1   all 225 jobs done in 1.9 h")
    assert run.lines[-1] == "Read results/summary.md first."


def test_time_left_is_that_of_the_jobs_so_far_and_before_them_what_was_expected(clock):
    pace = Pace({"label": 4, "fit": 2, "page": 1}, {"label": 10.0, "fit": 100.0})
    assert pace.left() == pytest.approx(4 * 10 + 2 * 100 + run_output.OTHERS)
    pace.start(1, "label")
    pace.start(2, "label")
    clock.now += 20
    assert [pace.finish(1), pace.finish(2), pace.finish(3)] == ["label", "label", None]
    # A machine half as fast as expected, two jobs side by side.
    assert pace.left() == pytest.approx((2 * 20 + 2 * 200 + 2 * run_output.OTHERS) / 2)
    pace.start(4, "label")
    clock.now += 15
    assert pace.left() == pytest.approx((40 - 15 + 400 + 2 * run_output.OTHERS) / 2)
    # What fails keeps others from running, unless it is tried again.
    pace.fail(4)
    assert pace.left() != pace.left()
    pace.start(4, "label")
    assert pace.left() == pytest.approx((40 + 400 + 2 * run_output.OTHERS) / 2)


def test_rules_of_modules_have_other_names(clock):
    """Two runs in one workflow, as `iron_*` and `copper_*`: times and pages are those of each."""
    run = Run()
    for name, seconds in (("iron", 30.0), ("copper", 60.0)):
        shorten(run.logger, {"label": seconds}, f"{name}/summary.md", planned=False, named=f"{name}_{{}}".format)
    run.plan(iron_label=2, copper_label=2, iron_page=1, copper_page=1, iron_everything=1, copper_everything=1, all=1)
    assert run.lines == ["6 jobs to do: 2 iron_label, 2 copper_label, 1 iron_page, 1 copper_page"]
    run.start(1, "iron_label")
    clock.now += 30
    run.finish(1)
    # As fast as expected: the other label, two of copper, and the pages take 160 s.
    assert run.lines[-1].endswith("iron_label              1 of 2   1 of 6 jobs, about 3 min left")
    rest = "iron_label", "copper_label", "copper_label", "iron_page", "copper_page"
    for number, rule in enumerate(rest, start=2):
        run.start(number, rule)
        run.finish(number)
    assert run.lines[-2].endswith("all 6 jobs done in 30 s")
    assert run.lines[-1] == "Read iron/summary.md and copper/summary.md first."


def test_unknown_times_are_not_made_up(clock):
    run = Run(seconds={"label": float("nan")})
    run.plan(lattice=1, label=2)
    run.start(1, "lattice")
    run.finish(1)
    assert run.lines[-1].endswith("1 of 3 jobs")


def test_a_failed_job_shows_the_end_of_its_log(tmp_path):
    log = tmp_path / "fit.log"
    log.write_text("\n".join([f"line {k}" for k in range(30)]) + "\n\nerror: no features\n", encoding="utf-8")
    run = Run()
    run.plan(fit=2)
    run.start(1, "fit")
    run.fail(1, "fit", str(log), external_jobid="4711")
    text = "CalledProcessError in file fit.smk, line 1:\nCommand ... returned non-zero exit status 1."
    run.logger.error(text, extra={"event": LogEvent.ERROR, "exception": "RuleException"})
    run.logger.error("WorkflowError:\nAt least one job failed.", extra={"event": LogEvent.ERROR, "exception": "W"})
    assert run.lines[1:3] == [
        "error: fit (results/fit/1.h5) failed, job 4711 of the cluster",
        f"  the end of {log}:",
    ]
    assert run.lines[3:-2] == [*(f"    line {k}" for k in range(23, 30)), "    error: no features"]
    assert run.lines[-1] == "At least one job failed."
    run.fail(2, "fit", str(tmp_path / "missing.log"))
    assert run.lines[-1] == "    (nothing)"


def test_jobs_that_were_submitted_together_fail_together(tmp_path):
    (tmp_path / "slurm.log").write_text("out of memory\n", encoding="utf-8")
    run = Run()
    said = {"event": LogEvent.GROUP_ERROR, "groupid": "results", "job_error_info": []}
    run.logger.error("Error in group", extra=said | {"aux_logs": [str(tmp_path / "slurm.log")]})
    assert run.lines[0] == "error: the jobs of group results failed together"
    assert run.lines[2] == "    out of memory"


def test_a_dry_run_lists_jobs_without_what_they_read():
    run = Run(planned=True)
    run.info("Workflow has started!", event=LogEvent.WORKFLOW_STARTED)
    run.plan(fit=1)
    run.start(1, "fit")
    text = run.stream.getvalue()
    for words in ("Job stats:", "rule fit:", "output: results/fit/1.h5", "shard=1"):
        assert words in text
    for words in ("reason", "descriptors/base.py", "mem_mb", "SNAKEMAKE"):
        assert words not in text


def test_other_output_is_left_alone():
    handler = logging.StreamHandler(io.StringIO())
    logger = logging.Logger("run")
    logger.addHandler(handler)
    shorten(logger, {}, "summary.md", planned=False)
    assert handler.formatter is None
    assert handler.filters == []
