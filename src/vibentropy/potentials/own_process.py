"""Objects in separate processes: LAMMPS and many calculators are compiled code, and a crash there ends the process.

The process is started afresh, since threads of numba and of linear algebra and MPI do not survive a fork. It runs
nothing of the caller's program, which `multiprocessing` would, and it ends when the caller does, however that happens.
What hangs is ended after a time limit, if there is one. Work that falls into parts may be shared among several of them.
"""

import os
import pickle
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from select import poll
from threading import Thread
from typing import Any, Self

from ase import Atoms
from numpy.typing import NDArray

from vibentropy.errors import MORE_MEMORY, CrashError, TimeLimitError
from vibentropy.potentials.swaps import Swaps

#: Signals that end compiled code when it goes wrong. Others come from outside the process.
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGBUS, signal.SIGILL}

_STDERR = 2

#: Seconds that a start may take where the time limit of calls is shorter.
_START_S = 120.0

#: In a process that serves an `Isolated`, its end of the connection.
_serving: Connection | None = None


def report_progress() -> None:
    """Tell an `Isolated` that waits for this process that its call goes on, which restarts its time limit.

    What takes many steps calls this after each. Where nobody waits it does nothing.
    """
    if _serving is not None:
        _serving.send(None)


class Isolated:
    """An object that lives in a separate process.

    Its public attributes are copied once, when it is made. Arguments, results and exceptions of its methods are copied,
    to the last bit. After a crash, the next call makes the object anew in a new process.

    Parameters
    ----------
    factory : callable
        A function or class that other processes can import; makes the object.
    *arguments
        Of the factory.
    timeout_s : float, optional
        Seconds that a call may take, or in methods that call `report_progress` what lies between. By default there is
        no limit. The start may take two minutes even where calls may not: it imports, and machines are busy.
    processes : int
        How many of them `share` may use, each with an object of its own; the others start when it is first called.

    Raises
    ------
    CrashError
        Here and by every call, if the process crashes or exits: what the call was about is to blame.
    TimeLimitError
        Likewise, if it takes longer than the time limit; the process is ended.
    ChildProcessError
        If it is killed from outside, as by the system when memory runs out: no fault of what the call was about.
    Exception
        Whatever the object raises.
    """

    def __init__(
        self, factory: Callable[..., Any], *arguments: Any, timeout_s: float | None = None, processes: int = 1
    ) -> None:
        self._factory, self._arguments, self._timeout_s = factory, arguments, timeout_s
        self._processes = processes
        self._others: list[Isolated] = []
        self._name = getattr(factory, "__self__", factory).__name__
        self._start()

    def call(self, method: str, /, *arguments: Any, **options: Any) -> Any:
        """Call a method of the object in its process.

        Parameters
        ----------
        method : str
            Its name.
        *arguments, **options
            Its arguments.

        Returns
        -------
        object
            A copy of what it returns.

        Raises
        ------
        CrashError, TimeLimitError, ChildProcessError, Exception
            See the class.
        """
        occasion = f"`{method}`"
        self._begin(occasion, (method, arguments, options))
        while (answer := self._message(occasion, self._timeout_s)) is None:
            pass
        return _result(answer)

    def share(self, method: str, tasks: Iterable[tuple[Any, tuple[Any, ...]]]) -> Iterator[tuple[Any, Any]]:
        """Call a method for each of several tasks, in all processes that the object may have.

        Where one of them fails, or who asked wants no more, processes that are still at work are ended: what they were
        at would be taken for the answer to the next call.

        Parameters
        ----------
        method : str
            Its name.
        tasks : iterable of tuple
            A key and the arguments of the method; taken as processes become free.

        Yields
        ------
        key : object
        result : object
            In the order in which they are done.

        Raises
        ------
        CrashError, TimeLimitError, ChildProcessError, Exception
            See the class.
        """
        occasion, left = f"`{method}`", iter(tasks)
        busy: dict[Any, tuple[Isolated, Any]] = {}

        def begin(workers):
            for worker, (key, arguments) in zip(workers, left, strict=False):
                worker._begin(occasion, (method, arguments, {}))
                busy[worker._connection] = worker, key

        try:
            begin(self._team())
            while busy:
                patience = min(worker._patience() for worker, _ in busy.values())
                ready = wait(list(busy), None if patience == inf else patience)
                for connection, (worker, key) in list(busy.items()):
                    if connection not in ready and worker._patience() > 0:
                        continue
                    answer = worker._message(occasion, worker._timeout_s, left=0)
                    if answer is not None:
                        del busy[connection]
                        result = _result(answer)
                        begin([worker])
                        yield key, result
        finally:
            for worker, _ in busy.values():
                worker._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and those that share its work; a further call would start another one."""
        for one in (self, *self._others):
            one._end()

    def _team(self):
        """Yield the objects that share work, and start those that are not there yet."""
        yield self
        for k in range(self._processes - 1):
            if k == len(self._others):
                self._others.append(Isolated(self._factory, *self._arguments, timeout_s=self._timeout_s))
            yield self._others[k]

    def _start(self):
        self._connection, theirs = Pipe()
        command = f"from vibentropy.potentials.own_process import _serve; _serve({theirs.fileno()})"
        self._process = subprocess.Popen(
            # The current folder is no place to import from.
            [sys.executable, "-P", "-c", command],
            stdin=subprocess.DEVNULL,
            # Results may go to our stdout: what calculators print does not belong there.
            stdout=_STDERR,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._end = weakref.finalize(self, _end, self._process, self._connection)
        occasion = "its start"
        # It imports from where the caller does: calculators may be anywhere.
        self._send(occasion, sys.path, (self._factory, self._arguments))
        try:
            limit = None if self._timeout_s is None else max(self._timeout_s, _START_S)
            vars(self).update(_result(self._message(occasion, limit)))
        except Exception:
            self._end()
            raise

    def _begin(self, occasion, call):
        if not self._end.alive:
            self._start()
        self._send(occasion, call)

    def _send(self, occasion, *messages):
        with self._ended_by_trouble(occasion):
            for message in messages:
                # Whole: `Connection.send` leaves tensors of torch in files that only related processes can open.
                self._connection.send_bytes(pickle.dumps(message))
        self._heard = time.monotonic()

    def _message(self, occasion, limit, left=None):
        """Receive an answer, or None where the call reports progress.

        `limit` is in seconds, None without end, and `left` what is left of it, if not all.
        """
        with self._ended_by_trouble(occasion):
            if not self._connection.poll(limit if left is None else left):
                raise TimeLimitError(
                    f"the process of {self._name} was ended: nothing came of {occasion} for {limit:g} s; "
                    "if it needs longer, raise `timeout_s`"
                )
            answer = self._connection.recv()
        self._heard = time.monotonic()
        return answer

    def _patience(self):
        """Seconds until a call counts as hanging."""
        return inf if self._timeout_s is None else max(self._heard + self._timeout_s - time.monotonic(), 0.0)

    @contextmanager
    def _ended_by_trouble(self, occasion):
        """Say what became of a process that is not there any more, and end it after what else goes wrong."""
        try:
            yield
        except (EOFError, ConnectionError):
            status = self._process.wait()
            self._end()
            raise _verdict(f"the process of {self._name}", status, occasion) from None
        except BaseException:
            # After Ctrl-C, the answer that was still to come would be taken for that of the next call.
            self._end()
            raise


class IsolatedEngine(Isolated):
    """An engine in a separate process, as `vibentropy.potentials.protocols.Engine` describes it.

    Parameters
    ----------
    factory, *arguments, timeout_s, processes
        See `Isolated`; it makes an engine. Several processes share differences of forces.
    """

    handover: float

    def energy_and_forces(self, atoms: Atoms) -> tuple[float, NDArray[Any]]:
        """Potential energy and forces, computed in the other process."""
        return self.call("energy_and_forces", atoms)

    def response(self, atoms: Atoms, step: float, groups: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Central differences of forces, computed in the other process."""
        return self.call("response", atoms, step, groups)

    def responses(
        self, atoms: Atoms, step: float, parts: Mapping[int, Sequence[NDArray[Any]]]
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Central differences of forces, computed in all other processes."""
        return self.share("response", ((part, (atoms, step, groups)) for part, groups in parts.items()))

    def relax(self, atoms: Atoms, max_force: float, max_steps: int = 2000) -> Atoms:
        """Relax in the other process."""
        return self.call("relax", atoms, max_force, max_steps)

    def anneal(
        self,
        atoms: Atoms,
        temperature: float,
        time_step: float,
        steps_between: int,
        snapshots: int,
        seed: int,
        molten: Sequence[int] = (),
        melt_temperature: float | None = None,
        swaps: Swaps | None = None,
    ) -> list[Atoms]:
        """Molecular dynamics in the other process."""
        return self.call(
            "anneal", atoms, temperature, time_step, steps_between, snapshots, seed, molten, melt_temperature, swaps
        )


def _result(answer):
    error, result = answer
    if error is not None:
        raise error
    return result


def _end(process, connection):
    connection.close()
    process.kill()
    process.wait()


def _verdict(subject, status, occasion):
    """Make the exception for the end of a process, which says whether the call is to blame."""
    if status >= 0:
        how = f"exited with status {status}"
    else:
        number = signal.Signals(-status)
        how = f"was ended by {number.name} ({signal.strsignal(number)})"
        if number not in _CRASHES:
            cause = f"most likely for lack of memory: {MORE_MEMORY}" if number == signal.SIGKILL else "from outside"
            return ChildProcessError(f"{subject} {how} in {occasion}, {cause}")
    remedy = "if many configurations end like this, look at the potential, the time step and the program itself"
    return CrashError(f"{subject} {how} in {occasion}; {remedy}")


def _serve(descriptor):
    """Make an object and call its methods for the `Isolated` at the other end of a connection."""
    # Ctrl-C goes to all processes of a terminal; the caller decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=[descriptor], daemon=True).start()
    global _serving
    _serving = connection = Connection(descriptor)
    sys.path[:] = connection.recv()
    made = None
    while True:
        try:
            if made is None:
                factory, arguments = connection.recv()
                made = factory(*arguments)
                result = {name: value for name, value in vars(made).items() if not name.startswith("_")}
            else:
                method, arguments, options = connection.recv()
                result = getattr(made, method)(*arguments, **options)
            answer: tuple[Exception | None, Any] = None, result
        except EOFError:
            break
        except Exception as error:
            answer = error, None
        try:
            connection.send(answer)
        except Exception as error:  # What cannot be copied.
            connection.send((error, None))


def _end_with(descriptor):
    """End this process when nobody holds the other end of its connection any more."""
    watcher = poll()
    watcher.register(descriptor, 0)
    watcher.poll()
    os._exit(0)
