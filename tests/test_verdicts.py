"""Verdicts and the contrasts of pixels behind them: pure functions of records, decided by their rules."""

import json
from dataclasses import replace
from pathlib import Path

import invented
import numpy as np
import pytest
from command_line import inside
from invented import few_epochs, unchecked  # noqa: F401

from snnlib import data
from snnlib.lab import records
from snnlib.lab.experiments import REGIMES, TABLES, arm_of, rivals
from snnlib.lab.experiments.controls import FED as FED_TITLES
from snnlib.lab.experiments.spaces import RIVALS
from snnlib.lab.experiments.studies import STUDIES
from snnlib.report import claims, evidence, pixels, verdicts
from snnlib.report.claims import CLAIMS
from snnlib.report.verdicts import all_verdicts

pytestmark = pytest.mark.usefixtures("unchecked")

FULL = [784, 300, 100]


def ones():
    return np.ones((28, 28))


def record_of(arm, seed, accuracy=98.0, removed=10.0, factors=None, history=(), start=30.0, profile="paper"):
    if factors is None and arm.switcher:
        factors = ones()
    gates = None if factors is None else [list(map(float, factors.flatten())), [1.0] * 300, [1.0] * 100]
    result = {
        "accuracy": accuracy,
        "widths": FULL,
        "removed_pct": removed,
        "start_removed_pct": start,
        "effective_pct": removed,
        "gates": gates,
    }
    images = {"shape": [1, 28, 28], "classes": 10}
    return invented.record(arm, seed, profile=profile, images=images, history=list(history), result=result)


def write(root, table, name, values, network="mlp", failed=False, profile="paper"):
    """One record a value of ``values``: a dict of what differs from the default of ``record_of``, or an accuracy."""
    arm = arm_of(TABLES[table], profile, name, network)
    for seed, value in enumerate(values):
        changed = value if isinstance(value, dict) else {"accuracy": value}
        changed = {"history": [{"strengthened": [1, 1]}]} | changed if profile == "whole" else changed
        record = record_of(arm, seed, profile=profile, **changed)
        if failed:
            record |= {"status": "failed", "result": None, "error": {"message": "died"}}
        records.write(records.path_of(arm, profile, seed, root), record)


def verdict(root, name):
    return next(found for found in all_verdicts(root) if found.name == name)


# pixels


def edges(rows=1.0, columns=1.0):
    factors = ones()
    factors[:4, 4:-4] = factors[-4:, 4:-4] = rows
    factors[4:-4, :4] = factors[4:-4, -4:] = columns
    return factors


def pixel_record(factors, arrangement="raster"):
    name = {"raster": "snn-al-std-0.1", "transposed": "transposed-std-0.1", "shuffled": "pixels-shuffled-std-0.1"}[
        arrangement
    ]
    return record_of(arm_of(TABLES["question"], "paper", name), 0, factors=factors)


def test_the_contrast_of_the_edges_tells_rows_from_columns():
    assert pixels.edge_contrast(pixel_record(edges(rows=0.0))) == 100
    assert pixels.edge_contrast(pixel_record(edges(columns=0.0))) == -100
    assert pixels.edge_contrast(pixel_record(edges(0.0, 0.0))) == pixels.edge_contrast(pixel_record(ones())) == 0
    half = ones()
    half[:4, 4:-4] = 0
    assert pixels.edge_shares(pixel_record(half)) == (50, 0)


def test_factors_go_back_to_where_their_pixels_were():
    image = np.arange(784.0).reshape(28, 28)
    for arrangement in ("raster", "transposed", "shuffled"):
        order = data.pixel_order(arrangement, (28, 28)).numpy()
        assert np.array_equal(pixels.factors_in_place(pixel_record(image.flatten()[order], arrangement)), image)
    # a switcher that prunes the top and bottom of what it is shown prunes the sides of images that were transposed
    assert pixels.edge_contrast(pixel_record(edges(rows=0.0), "transposed")) == -100


def test_the_centre_is_a_quarter_of_the_image():
    factors = 0.5 * ones()
    factors[7:21, 7:21] = 1.0
    assert pixels.centre_contrast(pixel_record(factors)) == 100
    assert pixels.centre_contrast(pixel_record(1.5 - factors)) == -100


def test_the_contrast_of_odd_and_even_rows():
    factors = np.ones(10)
    factors[1::2] = 0
    assert (
        pixels.parity_contrast(factors) == 100
        and pixels.parity_contrast(1 - factors) == -100
        and pixels.parity_contrast(np.zeros(8)) == 0
    )


def test_a_run_without_factors_of_pixels_is_refused():
    with pytest.raises(ValueError, match="has no factors: choose a finished run with a switcher"):
        pixels.factors_in_place(record_of(arm_of(TABLES["2"], "paper", "dense"), 0))
    with pytest.raises(ValueError, match="has 9 factors in its first layer, its images have 28 x 28 pixels"):
        pixels.factors_in_place(pixel_record(np.ones(9)))


# verdicts

EIGHT = (0.02, -0.02, 0.01, 0.0, -0.01, 0.015, -0.015, 0.005)
"""What eight runs differ by."""


def eight(middle, scale=1.0):
    return [middle + scale * error for error in EIGHT]


def judged(root, name, regime="plain"):
    return verdict(root, name).regimes[regime].verdict


def test_without_records_nothing_is_decided(tmp_path):
    found = all_verdicts(tmp_path)
    assert [each.name for each in found] == [claim.name for claim in CLAIMS]
    assert {each.verdict for each in found} == {"undecided"} and {
        judged.verdict for each in found for judged in each.regimes.values()
    } == {"no runs"}
    assert all(list(each.regimes) == list(REGIMES) and each.history == "older than its runs" for each in found)


FED = [f"fed-{kind}{ending}" for ending in claims.READINGS.values() for kind in FED_TITLES]


def accuracy_records(root, lead):
    for network in ("mlp", "lenet5-caffe"):
        write(root, "1", "dense", eight(98.0), network)
        write(root, "1", "snn-al-epoch", eight(98.0 + lead, -1), network)


def sparsity_records(root, lead):
    for table, name, network in (
        ("2", "snn-al-epoch", "mlp"),
        ("2", "snn-al-std-0.1", "mlp"),
        ("1", "snn-al-epoch", "lenet5-caffe"),
    ):
        write(root, table, name, [{"removed": value, "start": 30.0} for value in eight(30.0 + 20 * lead)], network)


def alternate_records(root, lead):
    write(root, "2", "snn-sl", [{"accuracy": a, "removed": r} for a, r in zip(eight(98.0), eight(8.0))])
    write(
        root,
        "2",
        "snn-al-epoch",
        [{"accuracy": a, "removed": r} for a, r in zip(eight(98.0 + lead, -1), eight(8.0 + lead, 2))],
    )


def harder_records(root, lead):
    for table, task in (("3", 0), ("4", -10 * lead)):
        for network, size in (("resnet34", 0), ("mobilenet-v1-x1", -10 * lead)):
            runs = len(TABLES[table].seeds_of(arm_of(TABLES[table], "paper", "snn-al-epoch", network), "paper"))
            write(
                root,
                table,
                "snn-al-epoch",
                [{"removed": value} for value in eight(50 + task + size, 1 + task - size)[:runs]],
                network,
            )


def centre_records(root, lead):
    factors = 0.9 * ones()
    factors[7:21, 7:21] += 0.2 * lead
    factors[np.r_[:7, 21:28]] -= 0.2 * lead
    for name in claims.READINGS:
        write(root, "2", name, [{"factors": factors}] * 8)


def errors_records(root, lead):
    for name, ending in claims.READINGS.items():
        write(root, "controls", f"snn-al-cut{ending}", eight(98.0))
        write(root, "controls", name, eight(98.0 + lead, -1))


def strengthening_records(root, lead):
    history = [{"strengthened": [10, 20]}, {"strengthened": [10 + 2 * lead, 20 + lead]}]
    write(root, "3", "snn-al-epoch", [{"history": history}] * 8, "vgg-cov2-bn")


def weights_records(root, lead, better=FED):
    """SNN-AL ``lead`` points above the controls named in ``better``, level with the others."""
    for name in claims.READINGS:
        write(root, "controls", name, eight(98.0))
    for name in FED:
        write(root, "controls", name, eight(98.0 - lead * (name in better), -1))


def structure_records(root, lead):
    for name, _ending in claims.READINGS.items():
        write(root, "controls", name, eight(98.0))
        for control in ("random", "norm", "scratch"):
            write(root, "controls", claims.beside(name, control), eight(98.0 - lead, -1))


def rivals_records(root, lead):
    """SNN-AL ``lead`` points above every rival at 60 %; the sparser arms, which do not count, lie the other way."""
    write(root, "rivals", "sparse", [{"accuracy": value, "removed": 62.0} for value in eight(97.0)])
    for arm in TABLES["rivals"].arms["paper"]:
        if arm.rival:
            share = int(arm.name.rpartition("-")[2])
            values = eight(97.0 - lead if share == 60 or arm.name == "edge-popup-75" else 97.0 + lead, -1)
            write(root, "rivals", arm.name, [{"accuracy": value, "removed": float(share)} for value in values])


def price_records(root, lead):
    write(root, "rivals", "tuned-dense", eight(98.0))
    write(root, "rivals", "sparse", [{"removed": value} for value in eight(60.0)])
    for name in ("bc-gnj-90", "bc-ghs-90", "l0-90"):
        pairs = zip(eight(98.0 - lead, -1), eight(60.0 + lead, -1))
        write(root, "rivals", name, [{"accuracy": value, "removed": share} for value, share in pairs])


def position_records(root, lead):
    """The pattern turns with what the switcher is shown (1), stays with the digits (-1), or there is none (0)."""
    pattern = edges(rows=0.0) if lead else ones()
    turned = {1: edges(rows=0.0), -1: edges(columns=0.0), 0: ones()}[lead]
    for name, factors in (
        ("snn-al", pattern),
        ("transposed", turned),
        ("pixels-shuffled", ones()),
        ("rows-reordered", ones()),
    ):
        write(root, "question", f"{name}-std-0.1", [{"factors": factors}] * 8)


@pytest.fixture
def searched(monkeypatch):
    """The table of rivals as it is once every search on the MLP is over, with settings that no search chose."""
    settings = {}
    for name, *_ in RIVALS:
        study = STUDIES[f"mlp-{name}"]
        values = invented.settings_of(study)
        settings[study.name] = {role: values | {"rate": 0.01 * number} for number, role in enumerate(study.roles, 1)}
    arms = (*rivals.beside("mlp"), *rivals.searched("mlp", settings))
    monkeypatch.setitem(TABLES, "rivals", replace(TABLES["rivals"], arms={"paper": arms}))


INVENTED = {name.removesuffix("_records"): make for name, make in list(globals().items()) if name.endswith("_records")}


@pytest.mark.parametrize("lead, expected", [(1, "holds"), (-1, "fails"), (0, "undecided")])
@pytest.mark.parametrize("name", [claim.name for claim in CLAIMS])
def test_each_rule_on_perfectly_favourable_unfavourable_and_indifferent_records(
    tmp_path, searched, name, lead, expected
):
    INVENTED[name](tmp_path, lead)
    found = verdict(tmp_path, name)
    regime = "tuned" if name in ("rivals", "price") else "plain"
    if name == "position" and lead == -1:
        expected = "mixed"  # the pattern is there, it vanishes where rows are shuffled, but it does not turn
    if name == "weights" and lead == 0:
        expected = "fails"  # to be no better than a switcher that reads nothing is what this claim excludes
    assert found.regimes[regime].verdict == expected
    assert found.verdict == {"holds": "confirmed", "fails": "not reproduced", "mixed": "depends"}.get(
        expected, "undecided"
    )
    assert {each.verdict for of, each in found.regimes.items() if of != regime} == {"no runs"}
    assert found.regimes[regime].provisional == (name == "harder")
    assert found.evidence and ("provisional" in str(found)) == (name == "harder" and expected != "undecided")


@pytest.mark.parametrize("lead, expected", [(1, "holds"), (-1, "fails"), (0, "undecided")])
@pytest.mark.parametrize("name", ["accuracy", "harder", "strengthening"])
@pytest.mark.usefixtures("few_epochs")
def test_runs_of_few_epochs_count_in_the_tuned_regime(tmp_path, name, lead, expected):
    small = "mobilenet-v1-x0.25"
    if name == "accuracy":
        for network in ("vgg-cov2", small):
            write(tmp_path, "3", "tuned-dense", eight(80.0), network, profile="whole")
            write(tmp_path, "3", "accurate", eight(80.0 + lead, -1), network, profile="whole")
        write(tmp_path, "4", "tuned-dense", eight(50.0)[:3], small, profile="whole")
        write(tmp_path, "4", "accurate", eight(50.0 - 9 * lead)[:3], small, profile="whole")  # three decide nothing
    elif name == "harder":
        write(tmp_path, "3", "accurate", [{"removed": r} for r in eight(40.0)], small, profile="whole")
        write(tmp_path, "4", "accurate", [{"removed": r} for r in eight(40.0 - lead, 2)[:3]], small, profile="whole")
    else:
        history = [{"strengthened": [10, 20]}, {"strengthened": [10 + 2 * lead, 20 + lead]}]
        write(tmp_path, "3", "accurate", [{"history": history}] * 8, "vgg-cov2-bn", profile="whole")
    found = verdict(tmp_path, name)
    assert found.regimes["tuned"].verdict == expected and found.regimes["plain"].verdict == "no runs"
    assert found.regimes["tuned"].provisional == (name == "harder")


@pytest.mark.usefixtures("few_epochs")
def test_a_rule_that_was_widened_is_as_old_as_that_for_the_runs_that_came_in(tmp_path):
    write(tmp_path, "3", "accurate", eight(80.0), "vgg-cov2", profile="whole")
    for path in tmp_path.rglob("seed-*.json"):  # after the rule was written, before it was widened
        records.write(path, records.read(path) | {"started": "2026-11-27T00:00:00+00:00"})
    assert verdict(tmp_path, "accuracy").history == "8 of its 8 runs had begun before it got its present form"


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS if not claim.verdict], ids=lambda claim: claim.name)
def test_without_an_effect_one_rule_in_twenty_decides_at_most(claim):
    """The share of false verdicts in 400 invented families of intervals, of as many as the rule has; 5 % and chance."""
    draw, decided = np.random.default_rng(0), 0
    regimes = [claim.quantities(evidence.Evidence(Path("nowhere")), regime) for regime in REGIMES]
    count = max(map(len, regimes))
    for _ in range(400):
        signs = [evidence.Sign(str(index), evidence.one(draw.normal(0, 1, 8))) for index in range(count)]
        decided += verdicts.judge(claim, signs).verdict != "undecided"
    assert decided / 400 < 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5


def test_without_an_effect_weights_are_not_said_to_be_read():
    draw, count = np.random.default_rng(0), 2 * 2 * len(FED_TITLES)
    said = [
        claims.better_than_controls([evidence.Sign("", evidence.one(draw.normal(0, 1, 8))) for _ in range(count)])
        for _ in range(200)
    ]
    assert "holds" not in said


def test_seven_pairs_are_not_enough(tmp_path):
    write(tmp_path, "1", "dense", eight(98.0)[:7])
    write(tmp_path, "1", "snn-al-epoch", eight(99.0, -1)[:7])
    assert verdict(tmp_path, "accuracy").verdict == "undecided"
    write(tmp_path, "1", "dense", eight(98.0))
    write(tmp_path, "1", "snn-al-epoch", eight(99.0, -1))
    assert (
        verdict(tmp_path, "accuracy").verdict == "confirmed"
        and str(verdict(tmp_path, "accuracy")) == "confirmed in the plain regime"
    )


def test_one_network_that_loses_what_another_gains_is_mixed(tmp_path):
    for network, lead in (("mlp", 0.5), ("lenet5-caffe", -0.5)):
        write(tmp_path, "1", "dense", eight(98.0), network)
        write(tmp_path, "1", "snn-al-epoch", eight(98.0 + lead, -1), network)
    found = verdict(tmp_path, "accuracy")
    assert (found.regimes["plain"].verdict, found.verdict) == (
        "mixed",
        "depends",
    ) and "mnist mlp: +0.50" in found.evidence[0]
    assert "no pairs of runs yet: cifar10 vgg-cov2" in found.evidence[-1]


def test_many_intervals_are_corrected_for_their_number():
    """One of eleven at p = 0.02 decides nothing; alone it would."""
    faint = evidence.one([0.9, 1.4, -0.4, 1.1, 0.2, 1.5, 0.1, 0.8])
    assert 0.005 < faint.p < 0.05 and faint.low > 0
    nothing = evidence.one([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    assert evidence.sides([evidence.Sign("", faint)]) == [1]
    assert evidence.sides([evidence.Sign("", faint), *[evidence.Sign("", nothing)] * 10]) == [0] * 11


def test_records_of_other_settings_do_not_count_and_dead_ones_count_at_chance(tmp_path):
    write(tmp_path, "1", "dense", eight(98.0))
    write(tmp_path, "1", "snn-al-epoch", eight(99.0, -1))
    path = records.path_of(arm_of(TABLES["1"], "paper", "dense"), "paper", 0, tmp_path)
    before = records.read(path)
    records.write(path, before | {"settings_hash": "another"})
    assert verdict(tmp_path, "accuracy").verdict == "undecided"
    records.write(path, before)
    path = records.path_of(arm_of(TABLES["1"], "paper", "snn-al-epoch"), "paper", 1, tmp_path)
    records.write(path, records.read(path) | {"status": "failed", "result": None, "error": {"message": "died"}})
    found = verdict(tmp_path, "accuracy")
    assert (
        found.verdict == "undecided" and "(n = 8, 1 of them with a run that was lost, at chance)" in found.evidence[0]
    )
    assert "-10.13" in found.evidence[0]  # seven leads of 1 and one of 10 - 98, over 8


def test_sparsity_is_measured_from_where_the_run_began(tmp_path):
    for table, name, network in (
        ("2", "snn-al-epoch", "mlp"),
        ("2", "snn-al-std-0.1", "mlp"),
        ("1", "snn-al-epoch", "lenet5-caffe"),
    ):
        write(tmp_path, table, name, [{"removed": value, "start": 60.0} for value in eight(50.0)], network)
    assert judged(tmp_path, "sparsity") == "fails", "half of the weights are off, but more were before the first step"


def test_a_control_that_cannot_be_trained_is_worse(tmp_path):
    weights_records(tmp_path, 1.0, FED[1:])
    assert judged(tmp_path, "weights") == "undecided"
    write(tmp_path, "controls", FED[0], [98.0] * 8, failed=True)
    assert judged(tmp_path, "weights") == "holds"
    weights_records(tmp_path, 1.0, FED[4:])  # better than none under the first reading
    assert judged(tmp_path, "weights") == "fails"


@pytest.mark.parametrize(
    "found, expected",
    [
        (("holds", "holds", "holds"), "confirmed"),
        (("no runs", "holds", "undecided"), "confirmed"),
        (("fails", "holds", "holds"), "depends"),
        (("mixed", "no runs", "no runs"), "depends"),
        (("fails", "fails", "fails"), "refuted"),
        (("fails", "fails", "no runs"), "not reproduced"),
        (("undecided", "fails", "undecided"), "not reproduced"),
        (("undecided", "no runs", "no runs"), "undecided"),
    ],
)
def test_the_verdict_over_all_regimes(found, expected):
    assert verdicts.over_all(verdicts.Judged(each) for each in found) == expected


def test_rule_and_runs_say_which_came_first(tmp_path):
    accuracy_records(tmp_path, 1)
    assert verdict(tmp_path, "accuracy").history == "32 of its 32 runs had begun before it got its present form"
    for path in tmp_path.rglob("seed-*.json"):
        records.write(path, records.read(path) | {"started": "2027-01-01T00:00:00+00:00"})
    assert verdict(tmp_path, "accuracy").history == "older than its 32 runs"


def test_the_command_prints_rules_evidence_and_verdicts(tmp_path, capsys):
    accuracy_records(tmp_path, 1)
    code, said, _ = inside(capsys, "verdicts", "--json", "--records", tmp_path)
    rows = json.loads(said)
    assert code == 0 and len(rows) == len(CLAIMS)
    assert {"claim", "rule", "regimes", "verdict", "said", "history"} <= set(rows[0]) and rows[0][
        "said"
    ] == "confirmed in the plain regime"
    code, said, _ = inside(capsys, "verdicts", "--records", tmp_path)
    assert code == 0 and all(claim.claim in said and claim.rule in said for claim in CLAIMS) and "+1.00 [" in said
    code, said, _ = inside(capsys, "verdicts", "--md", "--records", tmp_path)
    assert code == 0 and len(said.strip().splitlines()) == len(CLAIMS) + 2
    none = "no finished runs"
    regimes = f"{none} | holds | {none} | confirmed in the plain regime"
    assert f"| {CLAIMS[0].claim} | {CLAIMS[0].place} | {regimes} |" in said
    assert inside(capsys, "verdicts", "--md", "--json")[0] == 2


def test_a_page_shows_verdicts_in_a_line_each_and_none_of_reduced_runs(tmp_path):
    said = verdicts.shown(("centre", "weights"), "paper", tmp_path)
    assert (
        len(said.splitlines()) == 2 and said.count("**undecided**. Letter regime: no finished runs; plain regime") == 2
    )
    assert "profile *paper* alone" in verdicts.shown(("centre",), "quick", tmp_path)
