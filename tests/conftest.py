"""Before torch is imported: each of the parallel test processes, and each process that it starts, has one thread.

Two processes of two threads on two cores wait for each other more than they compute.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser):
    parser.addoption("--all-pages", action="store_true", help="check every page of the book in a browser, not a few")
