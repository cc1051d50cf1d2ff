"""Tables of the open question: what stays with the digits and what turns with the raster, on invented factors."""

import numpy as np

from snnlib.report import contrasts


def run_of(rows, columns, pixels="raster"):
    """A run that prunes these shares of the top 4 rows and of the left 4 columns of what it was shown."""
    factors = np.ones((28, 28))
    factors[:4, 4 : 4 + round(20 * rows)] = 0
    factors[4 : 4 + round(20 * columns), :4] = 0
    return {
        "arm": "a",
        "seed": 0,
        "settings": {"train": {"pixels": pixels}},
        "images": {"shape": [1, 28, 28]},
        "result": {"gates": [factors.flatten().tolist()], "removed_pct": 10.0},
    }


def test_a_pattern_that_turns_is_the_raster_s_and_one_that_stays_the_digits():
    raster = {seed: run_of(0.8, 0.2) for seed in range(3)}
    turned = {
        seed: run_of(0.8, 0.2, "transposed") for seed in range(3)
    }  # rows of what was shown are columns of the image
    found = contrasts.parts(raster, turned)
    assert abs(found["raster"].mean - 30) < 1e-9 and abs(found["digits"].mean) < 1e-9 and found["raster"].n == 3
    stays = {seed: run_of(0.2, 0.8, "transposed") for seed in range(3)}
    found = contrasts.parts(raster, stays)
    assert abs(found["digits"].mean - 30) < 1e-9 and abs(found["raster"].mean) < 1e-9
    assert contrasts.parts(raster, {5: run_of(0, 0)})["raster"].n == 0


def test_tables_leave_out_what_has_no_runs():
    runs = {0: run_of(0.8, 0.2), 1: run_of(0.6, 0.2)}
    table = contrasts.contrast_table({"a": runs, "b": {}})
    assert (
        list(table.index) == ["a"]
        and table.loc["a", "top, bottom (%)"] == "35.0"
        and table.loc["a", "contrast [95 %]"].startswith("+25.0")
    )
    for bare in (contrasts.contrast_table({}), contrasts.parts_table({"a": (runs, {})})):
        assert bare.iloc[0, 0] == "No finished runs yet."


def test_what_a_change_makes_of_the_part_that_turns_is_compared_with_the_first_row():
    noise = np.random.default_rng(0).integers(-1, 2, 8) / 20
    turned = {seed: run_of(0.5, 0.5, "transposed") for seed in range(8)}
    strong, weak = ({seed: run_of(high + extra, 0.2) for seed, extra in enumerate(noise)} for high in (0.8, 0.4))
    table = contrasts.parts_table({"as it is": (strong, turned), "weak": (weak, turned)}, against_first=True)
    assert table["raster minus first row"].tolist()[0] == "" and table["raster minus first row"].iloc[1].endswith(
        "10.0, \N{MINUS SIGN}10.0]".replace(" ", "\N{NO-BREAK SPACE}")
    )
    changes = {"as it is": (strong, turned), "weak": (weak, turned), "same": (strong, turned), "none": ({}, turned)}
    assert contrasts.changed(changes) == (
        "The raster's part is smaller with *weak*. No difference to it can be shown of *same*. Too few pairs of "
        "runs yet: *none*."
    )


def test_where_the_pattern_comes_from_is_said_once_there_are_enough_pairs():
    noise = np.random.default_rng(0).integers(-1, 2, 8) / 20
    shown = {seed: run_of(0.8 + extra, 0.2) for seed, extra in enumerate(noise)}
    turns = {seed: run_of(0.8 - extra, 0.2, "transposed") for seed, extra in enumerate(noise)}
    stays = {seed: run_of(0.2, 0.8 - extra, "transposed") for seed, extra in enumerate(noise)}
    plain = {seed: run_of(0.5 + extra, 0.5, "transposed") for seed, extra in enumerate(noise)}
    assert "not from what they show**" in contrasts.origin(contrasts.parts(shown, turns))
    assert "not from where they stand in the matrix**" in contrasts.origin(contrasts.parts(shown, stays))
    assert "from both" in contrasts.origin(contrasts.parts(shown, plain))
    weaker = {seed: run_of(0.4 + extra, 0.2) for seed, extra in enumerate(noise)}
    against = {seed: run_of(0.9 - extra, 0.1, "transposed") for seed, extra in enumerate(noise)}
    assert "works against it**" in contrasts.origin(contrasts.parts(weaker, against))
    same = {seed: run_of(0.5 + extra, 0.5) for seed, extra in enumerate(noise)}
    assert "Neither part" in contrasts.origin(contrasts.parts(same, plain))
    assert contrasts.origin(contrasts.parts(dict(list(shown.items())[:7]), turns)).startswith("7 pairs of runs so far")
    assert contrasts.origin(contrasts.parts(shown, {})) == "No pairs of runs yet, so nothing is decided."
