"""The command line as a subprocess, as a person at a shell meets it, or within the test's own process, which is
faster."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snnlib.__main__ import main

PROJECT = Path(__file__).resolve().parents[1]
SNN = (sys.executable, "-m", "snnlib")
TINY = (sys.executable, str(PROJECT / "tests" / "tiny.py"))
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if key not in ("FORCE_COLOR", "TTY_COMPATIBLE")},
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "COLUMNS": "200",
}


def snn(*words, program=SNN, **environment):
    """Run the command line to its end; ``environment`` adds variables."""
    command = [*program, *map(str, words)]
    return subprocess.run(
        command, cwd=PROJECT, env=ENVIRONMENT | environment, capture_output=True, text=True, timeout=900
    )


def inside(capsys, *words):
    """Run the command line in this process; returns exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def start(*words, program=SNN):
    """Start the command line as the leader of its own process group, as a shell does; Ctrl-C reaches it in any case."""
    command = [*program, *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    heeded = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # tests in the background of a shell ignore it, and so would the child
    try:
        return subprocess.Popen(command, cwd=PROJECT, env=ENVIRONMENT, start_new_session=True, **pipes)
    finally:
        signal.signal(signal.SIGINT, heeded)
