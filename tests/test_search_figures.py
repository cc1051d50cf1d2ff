"""Figures of a search: what is drawn is what the trials say."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from snnlib.lab.experiments.studies import STUDIES
from snnlib.report import figures, search_figures

matplotlib.use("Agg")
STUDY = STUDIES["mlp-snn"]


@pytest.fixture(autouse=True)
def closed():
    yield
    figures.plt.close("all")


def trials_of(*rows):
    """Trials from (rung, accuracy, removed at the start, after turn 1, at the end); an accuracy of None is a failed
    one."""
    return pd.DataFrame(
        [
            {
                "trial": index,
                "rung": rung,
                "state": "failed" if accuracy is None else "finished",
                "accuracy": accuracy,
                "removed_start": start,
                "removed_first": first,
                "removed": removed,
            }
            for index, (rung, accuracy, start, first, removed) in enumerate(rows)
        ],
        dtype=object,
    )


TRIALS = trials_of(
    (1, 98.0, 10, 20, 30),
    (1, 97.0, 40, 50, 60),
    (1, 96.5, 0, 0, 50),
    (1, None, 1, 1, None),
    (1, 90.0, 50, 60, 90),
    (2, 98.2, 10, 20, 25),
)


def test_the_plane_has_a_mark_a_trial_and_a_line_a_front():
    axes = search_figures.plane(TRIALS, STUDY, published={"the paper": (74.61, 98.41)}, dense=98.6).axes[0]
    marks = [np.asarray(each.get_offsets()).tolist() for each in axes.collections]
    assert marks == [[[30, 98.0], [60, 97.0], [50, 96.5]], [[25, 98.2]]]
    lines = [line.get_xydata().tolist() for line in axes.lines]
    assert [[30, 98.0], [60, 97.0]] in lines and [[25, 98.2]] in lines and [[74.61, 98.41]] in lines
    assert any(set(line.get_ydata()) == {98.6} for line in axes.lines)
    with pytest.raises(ValueError, match="no finished trial of mlp-snn reaches 99 %"):
        search_figures.plane(TRIALS, STUDY, 99)


def test_start_against_end():
    panels = search_figures.from_the_start(TRIALS).axes[:2]
    assert [np.asarray(each.collections[0].get_offsets()).tolist()[0] for each in panels] == [[10, 30], [20, 30]]
    assert all(len(each.collections[0].get_offsets()) == 4 for each in panels)
    with pytest.raises(ValueError, match="no finished trial reaches 99 %"):
        search_figures.from_the_start(TRIALS, 99)


def test_importance_has_a_bar_a_setting_and_goal_the_largest_first():
    axes = search_figures.importance(
        {"accuracy": {"rate": 0.2, "momentum": 0.1}, "removed": {"initial_mean": 0.5, "rate": 0.1}}, most=2
    ).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["initial mean", "rate"]
    assert [bar.get_width() for bar in axes.patches] == [0.0, 0.2, 0.5, 0.1]


def test_fates_fill_their_layers():
    counts = {name: np.array([[index, 1]] * 3) for index, name in enumerate(search_figures.FATES)}
    panels = search_figures.fates_over_epochs(counts, (10, 5)).axes
    assert len(panels) == 2 and all(len(axes.collections) == 5 for axes in panels)
    tops = [max(path.vertices[:, 1].max() for path in axes.collections[-1].get_paths()) for axes in panels]
    assert tops == [10, 5]
