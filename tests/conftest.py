"""Before torch is imported: each of the parallel test processes, and each process that it starts, has one thread.

Two processes of two threads on two cores wait for each other more than they compute.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run all tests, those that take long as well")
    parser.addoption("--all-pages", action="store_true", help="check every page of the book in a browser, not a few")
    parser.addoption("--all-chapters", action="store_true", help="rehearse every chapter in Colab's place, not one")


def pytest_collection_modifyitems(config, items):
    """Leave out what is marked slow, unless all is asked for or a test is named."""
    named = any("::" in argument for argument in config.args)
    if named or any(map(config.getoption, ("--slow", "--all-pages", "--all-chapters"))):
        return
    left = [item for item in items if item.get_closest_marker("slow")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(terminalreporter):
    """Print how long each chapter took in Colab's place (tests/test_colab.py)."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    lines = [value for each in reports for key, value in each.user_properties if key == "rehearsed"]
    if lines and terminalreporter.config.getoption("--all-chapters"):
        terminalreporter.section("chapters as in Colab")
        terminalreporter.write_line("\n".join(sorted(set(lines))))
