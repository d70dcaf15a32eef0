"""Code in a process of its own: what a crash of it costs, and that none outlives its caller."""

import re
import signal
import subprocess
import sys
import threading
from multiprocessing.reduction import ForkingPickler
from pickle import PicklingError

import numpy as np
import psutil
import pytest
from fragile import Mortal, MortalWithFile, SlowStarter
from workflow_runs import ROOT

from vibentropy.errors import CrashError, StructureError, TimeLimitError
from vibentropy.files.logs import logged
from vibentropy.potentials import own_process
from vibentropy.potentials.own_process import Isolated, report_progress


@pytest.fixture
def mortal():
    with Isolated(Mortal) as mortal:
        yield mortal


def test_what_is_printed_there_does_not_mix_with_results():
    script = "from vibentropy.potentials.own_process import Isolated; Isolated(print, 'noise')"
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (process.stdout, "noise" in process.stderr) == ("", True)


def test_crash_is_an_error_and_the_next_call_finds_a_new_process(mortal):
    for method, argument, message in [
        ("die", signal.SIGSEGV, r"Mortal was ended by SIGSEGV \(Segmentation fault\) in `die`"),
        ("exit", 3, "Mortal exited with status 3 in `exit`"),
        ("exit", 0, "Mortal exited with status 0 in `exit`"),
    ]:
        before = mortal.call("pid")
        with pytest.raises(CrashError, match=message):
            mortal.call(method, argument)
        assert mortal.call("pid") != before
        assert not psutil.pid_exists(before)
    before = mortal.call("pid")
    # Errors that are none of these leave the process alone.
    with pytest.raises(TypeError, match="unexpected keyword"):
        mortal.call("wait", hours=1)
    with pytest.raises((AttributeError, PicklingError), match="lambda"):
        mortal.call("give_what_cannot_be_copied")
    assert mortal.call("pid") == before


def test_interrupted_call_leaves_no_answer_for_the_next(mortal):
    main = threading.main_thread().ident
    timer = threading.Timer(0.3, signal.pthread_kill, [main, signal.SIGINT])
    # Jobs in the background of a shell begin with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            mortal.call("wait", 0.6)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert isinstance(mortal.call("pid"), int)


def test_start_may_take_longer_than_a_call(monkeypatch):
    with Isolated(SlowStarter, 2.5, timeout_s=2.0) as slow:
        assert slow.call("answer") == 42
    monkeypatch.setattr(own_process, "_START_S", 0.2)
    with pytest.raises(TimeLimitError, match=r"nothing came of its start for 0\.2 s; "):
        Isolated(SlowStarter, 600, timeout_s=0.1)


def test_what_hangs_is_ended(mortal):
    mortal._timeout_s = 1.0
    before = mortal.call("pid")
    with pytest.raises(TimeLimitError, match=r"of Mortal was ended: nothing came of `wait` for 1 s; .* `timeout_s`"):
        mortal.call("wait", 600)
    assert not psutil.pid_exists(before)
    mortal._timeout_s = None
    assert mortal.call("pid") != before


def test_time_limit_is_for_what_lies_between_two_reports(mortal):
    mortal._timeout_s = 1.5
    assert mortal.call("work", 3.0, pieces=30) == "done"
    with pytest.raises(TimeLimitError, match="nothing came of `work`"):
        mortal.call("work", 5.0, pieces=1)
    # Here nobody waits.
    report_progress()


def test_object_that_cannot_be_made_again_fails_every_call(tmp_path):
    place = tmp_path / "place"
    place.touch()
    with Isolated(MortalWithFile, place) as mortal:
        with pytest.raises(CrashError):
            mortal.call("die", signal.SIGILL)
        place.unlink()
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                mortal.call("pid")


def test_want_of_memory_is_no_fault_of_the_configuration(mortal, tmp_path):
    for method, arguments, message in [
        ("die", [signal.SIGKILL], r"SIGKILL \(Killed\) in `die`, most likely for lack of memory: .*mem_mb"),
        ("die", [signal.SIGTERM], r"SIGTERM \(Terminated\) in `die`, from outside"),
        ("grow", [], "out of memory .*mem_mb"),
    ]:
        with pytest.raises(SystemExit, match=f"error: .*{message}"), logged(tmp_path / "log"):
            mortal.call(method, *arguments)
        assert re.match(f"error: .*{message}", (tmp_path / "log").read_text())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_caller(number):
    program = "from fragile import Mortal\nfrom vibentropy.potentials.own_process import Isolated\n"
    program += "mortal = Isolated(Mortal)\n"
    program += "print(mortal.call('pid'), flush=True); mortal.call('wait', 600)"
    caller = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT / "tests/support", stdout=subprocess.PIPE, text=True
    )
    worker = psutil.Process(int(caller.stdout.readline()))
    caller.send_signal(number)
    assert caller.wait() == -number
    caller.stdout.close()
    worker.wait(10)


def test_objects_go_over_whole_whatever_multiprocessing_would_do(monkeypatch):
    """As torch has it do with tensors: their files are for processes that multiprocessing has started."""

    def as_a_file(array):
        raise AssertionError("left in a file")

    monkeypatch.setitem(ForkingPickler._extra_reducers, np.ndarray, as_a_file)
    with pytest.raises(TypeError, match="only integer scalar arrays"), Isolated(Mortal) as mortal:
        mortal.call("die", np.arange(3))


def test_what_it_prints_is_not_among_results(capfd):
    """CHGNet says where it runs; that would be a row of `vibentropy label`."""
    with Isolated(Mortal) as mortal:
        mortal.call("say", "running on cpu")
    assert capfd.readouterr() == ("", "running on cpu\n")


@pytest.fixture
def team():
    """Three processes, which take half a minute to start on a busy machine, for several tests."""
    with Isolated(Mortal, processes=3) as team:
        yield team


def children():
    return {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}


def test_work_is_shared_and_trouble_ends_all_of_it(team):
    before = children()
    done = dict(team.share("pid_after", ((key, (0.1,)) for key in range(12))))
    assert sorted(done) == list(range(12))
    there = set(done.values())
    assert len(there) == 3
    assert children() == before | there

    # They stay for the next work, and one of them that crashes, or that hangs while others go on, ends what is begun.
    for limit, call, error, message in [
        (None, ("die", [(signal.SIGSEGV,)]), CrashError, "Mortal was ended by SIGSEGV .* in `die`"),
        (3.0, ("wait", [(600,), *[(0.1,)] * 600]), TimeLimitError, "nothing came of `wait` for 3 s"),
        (None, ("refuse", [("no minimum",)]), StructureError, "no minimum"),
    ]:
        for one in team._team():
            one._timeout_s = limit
        method, tasks = call
        with pytest.raises(error, match=message):
            list(team.share(method, enumerate(tasks)))
        for one in team._team():
            one._timeout_s = None
            # No answer that was still to come.
            assert one.call("pid") == one._process.pid

    # Who wants no more gets no more.
    tasks = team.share("wait", ((key, (0.1,)) for key in range(100)))
    next(tasks)
    tasks.close()
    assert [one.call("pid") for one in team._team()] == [one._process.pid for one in team._team()]
    team.close()
    assert children() <= before


def test_ctrl_c_ends_those_that_share_work(team):
    assert len(set(dict(team.share("pid_after", ((key, (0.1,)) for key in range(9)))).values())) == 3
    pids = {one.call("pid") for one in team._team()}
    timer = threading.Timer(0.5, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            list(team.share("wait", ((key, (600,)) for key in range(9))))
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert not children() & pids
