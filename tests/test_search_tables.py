"""Chapter 10: the tables of a search are what its trials say."""

import pandas as pd
import pytest

from snnlib.lab import search
from snnlib.lab.experiments.studies import STUDIES
from snnlib.lab.names import Refused
from snnlib.report import search_tables

STUDY = STUDIES["mlp-snn"]
SETTINGS = {"rate": 0.0123, "channels": "4-8-16", "clip_network": None}


def trial(number, rung, accuracy, removed, parent=None, state="finished"):
    return {
        "trial": number, "rung": rung, "state": state, "accuracy": accuracy, "removed": removed, "removed_start": 50.0,
        "removed_first": 49.0, "widths": "400-140-24", "parent": parent, "seconds": 1800.0, "seed": 0, **SETTINGS,
    }  # fmt: skip


TRIALS = pd.DataFrame(
    [
        trial(1, 3, 98.5, 20.0),
        trial(2, 3, 98.0, 80.0),
        trial(3, 3, 97.9, 70.0),
        trial(4, 4, 98.1, 10.0, 1),
        trial(5, 4, 98.3, 14.0, 1),
        trial(6, 4, 97.8, 60.0, 2),
        trial(7, 4, None, None, 2, "failed"),
    ],
    dtype=object,
)


def test_the_space_has_every_setting_with_its_values():
    table = search_tables.space()
    assert len(table) == len(STUDY.space) and table.loc["rate", "values"] == "0.01 to 0.3 (logarithm)"
    assert table.loc["clip network"].tolist() == ["network", "none, 5 and 1"]
    assert "4\N{NON-BREAKING HYPHEN}8" in table.loc["channels", "values"]


def test_the_front_has_what_no_other_beats():
    table = search_tables.front(TRIALS, STUDY)
    assert table.index.tolist() == ["trial 1", "trial 2"]
    assert table.loc["trial 2"].tolist()[:4] == ["98.00", "50.0", "49.0", "80.0"]
    assert search_tables.front(TRIALS[:0], STUDY).iloc[0, 0] == "No finished trials yet."


def test_fresh_seeds_stand_beside_their_trial():
    table = search_tables.fresh(TRIALS, STUDY)
    plain = [text.replace("\N{NO-BREAK SPACE}", " ") for text in table.loc["trial 1"]]
    assert plain == ["98.50", "98.20 (98.10 to 98.30)", "20.0", "12.0 (10.0 to 14.0)", "0"]
    assert table.loc["trial 2", "failed"] == "1"
    said = search_tables.luck(TRIALS, STUDY)
    assert said.startswith("Of the 2 candidates 1 lost no run.")
    assert "differ from the trial by \N{MINUS SIGN}8.0 points of weights removed" in said and "up to 4.0 points" in said
    assert search_tables.luck(TRIALS[:3], STUDY) == "No candidate has lived on all fresh seeds yet."


def test_what_matters_is_named_in_order_and_too_few_trials_say_nothing():
    shares = {"accuracy": {"rate": 0.6, "initial_mean": 0.3, "fc": 0.1}, "weights removed": {"turn": 1.0}}
    said = search_tables.most_important(shares, most=2)
    assert said == "First come, for the accuracy *rate* and *initial mean*; for the weights removed *turn*."
    assert search_tables.importance(TRIALS, STUDY) == {} and "too few" in search_tables.most_important({})
    assert "too few" in search_tables.importance_figure({}).axes[0].texts[0].get_text()


def test_the_rules_are_those_of_these_roles_alone():
    rules = search_tables.rules(STUDY)
    assert rules.count("\n") == len(STUDY.roles) + 1 and "**75**" not in rules and "**sparse**" in rules


def test_progress_says_how_far_a_search_is(monkeypatch, tmp_path):
    monkeypatch.setattr(search, "read", lambda study, folder: TRIALS)
    said = search_tables.progress("mlp-dense", tmp_path)
    assert "3 of 16 trials of 40 epochs" in said and "1 trial failed" in said and "3.5 hours" in said
    assert "**It is not over**: `snn search mlp-dense` goes on" in said
    monkeypatch.setattr(search, "read", lambda study, folder: TRIALS[:0])
    assert search_tables.progress("mlp-dense", tmp_path).endswith("not begun; `snn search mlp-dense` begins it.")


def test_roles_that_took_one_trial_share_a_column_and_the_front_has_no_role(monkeypatch, tmp_path):
    def chosen(study, folder):
        one, two = (
            {**dict.fromkeys(study.space, 0.5), "trial": number, "accuracy": 98.0, "removed": 9.0} for number in (1, 2)
        )
        return {"dense": one} if study.name == "mlp-dense" else {"accurate": one, "knee": one, "front-2": two}

    monkeypatch.setattr(search, "chosen", chosen)
    table = search_tables.chosen("mlp-snn", tmp_path)
    assert table.columns.tolist() == ["dense", "accurate, knee", "on the front (2)"]
    assert table.loc["rate switcher"].tolist() == ["", "0.5", "0.5"] and table.loc["trial", "dense"] == "1"

    def refuse(study, folder):
        raise Refused("not yet")

    monkeypatch.setattr(search, "chosen", refuse)
    assert "Nothing is chosen yet" in str(search_tables.chosen("mlp-snn", tmp_path).to_numpy())


@pytest.mark.parametrize(
    "value, shown", [(None, "none"), (float("nan"), "none"), (0.00123456, "0.00123"), ("a_b", "a b")]
)
def test_settings_in_words(value, shown):
    assert search_tables.in_words(value) == shown
