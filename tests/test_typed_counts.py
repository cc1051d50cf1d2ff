"""What a chapter's prose says of records: each is named in a mark beside it and computed here from what it speaks of.

``<!-- counts: what = number, ... -->`` is for numbers that are spelt out, ``<!-- holds: what, ... -->`` for sentences
without one ("prunes most"). Who has to change either reads the words around it again.
"""

import math
import re
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from snnlib.config import SwitcherConfig
from snnlib.lab import records, status
from snnlib.lab.experiments import TABLES, arm_of, tuned
from snnlib.lab.experiments.prices import LAMBDAS
from snnlib.lab.experiments.rivals import NAMES, OF_PAPER, OWN_FORM
from snnlib.lab.experiments.studies import STUDIES
from snnlib.networks import lenet5_caffe
from snnlib.peers import n2n
from snnlib.report import comparable, controls, prices, pruning, rivals, rivals_tables, sampling, sparsity, tables
from snnlib.report.beside import printed
from snnlib.report.claims import beside
from snnlib.report.evidence import FEW, WHOLE, Evidence, Sign, one, sides
from snnlib.report.results import Results
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.training import flow

README = Path(__file__).parents[1] / "README.md"
CHAPTERS = README.parent / "book" / "chapters"
INTRO = CHAPTERS.parent / "intro.md"
MARK = re.compile(r"<!-- (counts|holds): (.*?) -->")
(SPARSE,) = tuned.settings(("sparse",))


@pytest.fixture(scope="module")
def evidence():
    return Evidence(records.default_root())


def rivals_with_runs(evidence):
    """Of the paper's nine; the structured form of the lottery ticket is ours."""
    have = {arm.rival.name for arm in TABLES["rivals"].arms["paper"] if arm.rival and evidence.runs("rivals", arm.name)}
    return len(have & set(OF_PAPER))


def their_ticket():
    """Rounds of the lottery ticket by its authors' recipe, and the epochs of each."""
    arm = arm_of(TABLES["rivals"], "authors", "lottery-authors")
    rounds = dict(arm.rival.options)["rounds"]
    return rounds, arm.train.epochs / rounds


def pairs_ahead(evidence, rival):
    """Seeds in which ``rival``, at SNN-AL's size, is more accurate; a run that was lost guesses."""
    arm = comparable.as_sparse(evidence, rival, comparable.least_compared(evidence, SPARSE))
    return comparable.pairs_ahead(evidence, arm, SPARSE) if arm else 0


def of_rivals(evidence):
    """The rows of the perceptron's rivals."""
    return tables.of_network(rivals.of_profile("paper", evidence.root), "mlp")


def mean_gone(evidence, arm):
    """Percent of the weights that an arm of the rivals removes, in the mean."""
    return statistics.mean(evidence.figures("rivals", arm, comparable.removed).values())


def living(evidence):
    """By rival its accuracy minus the sparse setting's, at SNN-AL's size, of the pairs whose runs both lived."""
    return {
        rival: comparable.living(evidence, arm, SPARSE)
        for rival, arm in comparable.held_against(evidence, SPARSE).items()
    }


def left_by_n2n(evidence, hidden, size=60):
    """Accuracies of the runs of N2N, for so many percent, that end with so many hidden layers."""
    runs = evidence.runs("rivals", f"n2n-{size}").values()
    return [right(run) for run in runs if len(run["result"]["widths"]) == 1 + hidden]


def rivals_lost(evidence):
    """Runs of all rivals that diverged or died."""
    return sum(len(evidence.dead("rivals", arm.name)) for arm in TABLES["rivals"].arms["paper"] if arm.rival)


def colour_runs(evidence, network):
    return evidence.runs("3", "accurate", network, WHOLE)


def at_guessing(evidence, network):
    """Runs with a switcher that ended at the accuracy of guessing, as tables count them."""
    (row,) = (row for row in tables.rows("3", WHOLE, evidence.root) if (row.network, row.arm) == (network, "accurate"))
    return row.at_chance


def rounding_in_quarters(evidence):
    """Whole quarters of the deviation between seeds that one weight moved by a millionth makes, of weights removed."""
    nudged = [run for runs in status.finished("rounding", "paper", evidence.root).values() for run in runs.values()]
    apart = [
        statistics.stdev(run["result"]["removed_pct"] for run in runs)
        for runs in (nudged, evidence.runs("2", "snn-al-epoch").values())
    ]
    return int(4 * apart[0] / apart[1])


def parity_in_tenths(evidence):
    """What resizing leaves of the size of odd minus even rows that the decoder of the library has."""
    sizes = controls.parity(Results("controls", "paper", evidence.root))["size"].astype(float)
    (left,) = {
        round(10 * sizes[f"{start}: resize and convolve"] / sizes[f"{start}: transposed, a bias for each tap"])
        for start in controls.STARTS.values()
    }
    return left


def interventions_that_lost_half(evidence):
    arms = [arm.name for arm in TABLES["sparsity"].arms["paper"] if arm.name != "short"]
    return sum(len(records.learned(evidence.runs("sparsity", arm))) <= 4 for arm in arms)


def gained_by_the_start(evidence):
    """Neurons by which knowing who is off early makes a prediction better, in the setting where most."""
    found = sparsity.foresight_table(Results("2", "paper", evidence.root)).astype(float)
    return int((found["the setting alone"] - found.min(axis=1)).max())


def small_runs(evidence, what=""):
    """Results of the small searches' runs that learned something, by seed."""
    return [run["result"] for run in records.learned(evidence.runs("controls", f"small{what}")).values()]


COUNTS = {
    "small runs with less than two percent off at the start": lambda evidence: sum(
        run["start_removed_pct"] < 2 for run in small_runs(evidence)
    ),
    "small runs that end with more off than after the first turn": lambda evidence: sum(
        run["removed_pct"] > run["first_turn_removed_pct"] for run in small_runs(evidence)
    ),
    "of these the runs fed noise": lambda evidence: sum(
        run["removed_pct"] > run["first_turn_removed_pct"] for run in small_runs(evidence, "-fed-noise")
    ),
    "percent that training removes of free factors": lambda evidence: round(
        statistics.mean(run["removed_pct"] - run["start_removed_pct"] for run in small_runs(evidence, "-fed-nothing"))
    ),
    "tens of images by which SNN-AL is behind on LeNet5-Caffe (rounded up)": lambda evidence: math.ceil(
        -10 * evidence.difference("", "1", "snn-al-epoch", "dense", "accuracy", "lenet5-caffe").found.mean
    ),
    "MobileNetV1 runs that remove nothing": lambda evidence: sum(
        run["result"]["removed_pct"] == 0 for run in colour_runs(evidence, "mobilenet-v1-x0.25").values()
    ),
    "points by which dense VGG-cov2 is below the quoted baseline (rounded)": lambda evidence: round(
        printed("3", "vgg-cov2", "baseline").acc_mean
        - statistics.mean(vgg(evidence, "tuned-dense", "vgg-cov2").values())
    ),
    "quarters of the deviation of seeds that rounding makes": rounding_in_quarters,
    "tenths of the parity that resizing leaves": parity_in_tenths,
    "changes that lost half of their runs or more": interventions_that_lost_half,
    "neurons that knowing the start gains at most": gained_by_the_start,
    "epochs of the profile paper": lambda _: arm_of(TABLES["2"], "paper", "snn-al-epoch").train.epochs,
    "tenths of a point of sampling error": lambda _: round(10 * sampling.standard_error(98.0, 5000)),
    "trials of SNN-AL's search": lambda _: STUDIES["mlp-snn"].rungs[0].trials,
    "trials of VGG-cov2's search": lambda _: STUDIES["vgg-cov2-snn"].rungs[0].trials,
    "epochs of a rival": lambda _: arm_of(TABLES["rivals"], "paper", "l0-90").train.epochs,
    "epochs of its authors": lambda _: arm_of(TABLES["rivals"], "authors", "l0-authors").train.epochs,
    "rounds of the ticket's authors": lambda _: their_ticket()[0],
    "epochs of each of them": lambda _: their_ticket()[1],
    "rivals run": rivals_with_runs,
    "rivals ahead in all eight pairs": lambda evidence: sum(pairs_ahead(evidence, rival) == 8 for rival in NAMES),
    "pairs in which edge-popup is ahead": lambda evidence: pairs_ahead(evidence, "edge-popup"),
    "pairs in which Deep Elastic Networks is ahead": lambda evidence: pairs_ahead(evidence, "elastic"),
    "pairs in which BC-GHS is ahead": lambda evidence: pairs_ahead(evidence, "bc-ghs"),
    "pairs in which BC-GNJ is ahead": lambda evidence: pairs_ahead(evidence, "bc-gnj"),
    "of the paper's nine rivals those told to be more accurate where both live": lambda evidence: sum(
        found.low > 0 for rival, found in living(evidence).items() if rival != OWN_FORM
    ),
    "of these those told once corrected": lambda evidence: sum(
        side == 1
        for side in sides([Sign("", found) for rival, found in living(evidence).items() if rival != OWN_FORM], FEW)
    ),
    "rivals told to be more accurate where both live": lambda evidence: sum(
        found.low > 0 for found in living(evidence).values()
    ),
    "pairs in which N2N is ahead": lambda evidence: pairs_ahead(evidence, "n2n"),
    "runs of N2N left without a hidden layer": lambda evidence: len(left_by_n2n(evidence, 0)),
    "runs of N2N for nine tenths left without a hidden layer": lambda evidence: len(left_by_n2n(evidence, 0, 90)),
    "runs of Deep Elastic Networks at their least level": lambda evidence: sum(
        run["result"]["mean_widths"] == [784, 75, 25] for run in evidence.runs("rivals", "elastic-60").values()
    ),
    "runs under the bound itself": lambda evidence: sum(map(len, under_the_bound(evidence))),
    "seeds of VGG16 x0.25": lambda evidence: len(colour_runs(evidence, "vgg16-x0.25")),
    "runs of ResNet34 x0.25": lambda evidence: len(runs_in(evidence, "3", WHOLE, "resnet34-x0.25")),
    "epochs left to N2N's student": lambda _: epochs_of_the_student(
        arm_of(TABLES["3"], WHOLE, "n2n-63", "resnet34-x0.25")
    ),
    "runs of N2N on LeNet5-Caffe": lambda evidence: len(
        [arm for arm in runs_in(evidence, "rivals", "paper", LENET) if arm.startswith("n2n")]
    ),
    "runs of the ticket with a tenth of LeNet5-Caffe's weights left": lambda evidence: len(
        evidence.runs("rivals", "lottery-90", LENET)
    ),
    "runs of its structured form with a tenth left": lambda evidence: len(
        evidence.runs("rivals", "lottery-neurons-90", LENET)
    ),
    "rounds of the ticket on LeNet5-Caffe": lambda _: dict(
        arm_of(TABLES["rivals"], "paper", "lottery-90", LENET).rival.options
    )["rounds"],
    "runs of Bayesian compression at a half and a quarter of its price": lambda evidence: len(
        [arm for arm in runs_in(evidence, "prices", "paper", "mlp") if arm.endswith(("-half", "-quarter"))]
    ),
    "steps that a student of N2N is trained for": lambda _: dict(
        arm_of(TABLES["rivals"], "paper", "n2n-60").rival.options
    )["rollout"],
    "runs of N2N left with one": lambda evidence: len(left_by_n2n(evidence, 1)),
    "rival runs lost": rivals_lost,
    "runs of LeNet5-Caffe lost in the sparse setting": lambda evidence: len(
        evidence.dead("1", "sparse", "lenet5-caffe")
    ),
    "sparse runs lost": lambda evidence: len(evidence.dead("rivals", SPARSE)),
    "fifths of the weights that the small search's setting removes": lambda evidence: round(
        statistics.mean(evidence.figures("controls", "small", "removed_pct").values()) / 20
    ),
    "runs of it": lambda evidence: len(evidence.runs("controls", "small")),
    "half of the runs fed constants there": lambda evidence: len(evidence.dead("controls", "small-fed-constants")),
    "MobileNetV1 runs": lambda evidence: len(colour_runs(evidence, "mobilenet-v1-x0.25")),
    "runs with batch norm that remove next to nothing by the paper's count": lambda evidence: sum(
        run["result"]["removed_pct"] < 2 for run in colour_runs(evidence, "vgg-cov2-bn").values()
    ),
    "VGG-cov2 runs": lambda evidence: len(colour_runs(evidence, "vgg-cov2")),
    "VGG-cov2 runs lost": lambda evidence: len(evidence.dead("3", "accurate", "vgg-cov2", WHOLE)),
    "VGG-cov2 runs at guessing": lambda evidence: at_guessing(evidence, "vgg-cov2"),
}


def less(evidence, arm, reference, figure):
    """The paired difference of two arms of the controls in a figure, failed runs at chance."""
    return evidence.difference("", "controls", arm, reference, figure).found


def vgg(evidence, arm, network="vgg-cov2-bn"):
    """Accuracies of VGG-cov2 by seed, lost runs at guessing."""
    return evidence.figures("3", arm, "accuracy", network, WHOLE)


def vgg_off_at_start(evidence, network):
    """Percent of the weights of VGG-cov2 that are off before the first step, a run each."""
    return [run["result"]["start_removed_pct"] for run in colour_runs(evidence, network).values()]


def of_table_1(evidence, arm, network="mlp"):
    """Our row of an arm of Table 1."""
    (row,) = (
        row
        for row in tables.rows("1", "paper", evidence.root)
        if (row.source, row.arm, row.network) == ("ours", arm, network)
    )
    return row


def strengthened(evidence, arm):
    """Percent of the perceptron's pixels whose factor is 1 or above, mean over the seeds."""
    gates = [np.array(run["result"]["gates"][0]) for run in evidence.runs("2", arm).values()]
    return 100 * float(np.mean([np.mean(each >= 1) for each in gates]))


def off_at_start():
    """Percent of LeNet5-Caffe's factors that are 0 before the first step, mean over eight seeds."""
    gates = [
        torch.cat(Switched.around(lenet5_caffe(generator=generator(seed, "network")), SwitcherConfig(), draw).gates())
        for seed in range(8)
        for draw in [generator(seed, "switcher")]
    ]
    return statistics.mean(100 * float((each == 0).float().mean()) for each in gates)


def pruning_after_one_epoch(evidence):
    """Percent of LeNet5-Caffe's neurons and kernels that are off after the first epoch, mean over the seeds."""
    return statistics.mean(pruning.pruned_share(run)[0] for run in evidence.runs("1", "snn-al-epoch", LENET).values())


def mean_less(first, second):
    """Mean of ``first`` minus ``second``, of the seeds that both have."""
    return statistics.mean(first[seed] - second[seed] for seed in set(first) & set(second))


def all_below(first, second):
    """Whether ``first`` is below ``second`` in each of three seeds at least."""
    both = set(first) & set(second)
    return len(both) >= 3 and all(first[seed] < second[seed] for seed in both)


def right(run):
    """Accuracy in percent of a run that lived."""
    return run["result"]["accuracy"]


def seeds_to_decide(evidence, rival):
    """With how many seeds, spread as the eight are, a rival minus the sparse setting would lie above 0, corrected for
    ten rivals; lost runs guess."""
    first, second = (evidence.figures("rivals", arm, "accuracy") for arm in (rival, SPARSE))
    apart = [first[seed] - second[seed] for seed in set(first) & set(second)]
    mean, deviation = statistics.mean(apart), statistics.stdev(apart)
    return next(n for n in range(2, 200) if mean > stats.t.ppf(1 - 0.05 / 10 / 2, n - 1) * deviation / math.sqrt(n))


def priced(evidence, form, price):
    """The row of L0 with this lambda in this form."""
    return prices.rows(Results("prices", "paper", evidence.root))[form, price]


def dearer(evidence, price):
    """Points by which L0 is more accurate with a lambda for each layer."""
    return priced(evidence, "each", price).acc_mean - priced(evidence, "one", price).acc_mean


def behind(evidence, rival):
    """Points by which the tuned dense network is more accurate."""
    return evidence.difference("", "rivals", "tuned-dense", rival, "accuracy").found.mean


def narrow(evidence, arm):
    """Accuracies of MobileNetV1 x0.25 on CIFAR-10 by seed."""
    return {seed: right(run) for seed, run in evidence.runs("3", arm, "mobilenet-v1-x0.25", WHOLE).items()}


def long_rounds(evidence):
    """Seeds and runs of the lottery ticket on MobileNetV1 with rounds of full length."""
    return evidence.runs("3", "lottery-long", "mobilenet-v1-x0.25", WHOLE).items()


def all_of(found):
    """Whether there are some, and all hold."""
    found = list(found)
    return bool(found) and all(found)


def short_of_published(evidence):
    """Points by which the dense VGG-cov2 without batch norm is below the one that the paper quotes."""
    own = statistics.mean(vgg(evidence, "tuned-dense", "vgg-cov2").values())
    return printed("3", "vgg-cov2", "baseline").acc_mean - own


def gained_by_longer(evidence):
    """Points that it gains on held-out images from 16 to 32 epochs."""
    results = Results("epochs", "search", evidence.root)
    return results.mean("epochs-32", network="vgg-cov2") - results.mean("epochs-16", network="vgg-cov2")


def behind_dense(evidence, whole):
    """Points by which MobileNetV1's runs with a switcher are behind dense: those that remove nothing, or the others."""
    dense = narrow(evidence, "tuned-dense")
    runs = colour_runs(evidence, "mobilenet-v1-x0.25").items()
    return statistics.mean(
        dense[seed] - right(run) for seed, run in runs if (run["result"]["removed_pct"] == 0) == whole
    )


def moved(evidence, kind):
    """Inputs of VGG-cov2's first FC layer of a kind after the last epoch minus those after the first, by seed."""
    runs = records.learned(colour_runs(evidence, "vgg-cov2-bn"))
    return one(run["history"][-1][kind][2] - run["history"][0][kind][2] for run in runs.values())


def quickest(evidence, *methods):
    """Seconds of the quickest run of each method, of all its sizes, as multiples of those of the dense network."""
    curves = rivals.curves(rivals.of_profile("paper", evidence.root))
    seconds = {curve.method: min(row.quickest for row in curve.rows) for curve in curves}
    return [seconds[method] / seconds["dense"] for method in methods]


def ghs(evidence):
    return evidence.runs("rivals", "bc-ghs-60").values()


LENET = "lenet5-caffe"


def mean_of(evidence, arm, figure, table="controls", network="mlp"):
    runs = records.learned(evidence.runs(table, arm, network))
    return statistics.mean(run["result"][figure] for run in runs.values())


def beyond_quoted(evidence, figure, of_row):
    """A figure of L0 on LeNet5-Caffe minus that of the row that the paper quotes."""
    return mean_of(evidence, "l0-60", figure, "1", LENET) - getattr(printed("1", LENET, prices.QUOTED), of_row)


def of_lenet(evidence, first, second):
    """Accuracy of one arm of LeNet5-Caffe minus another, lost runs at guessing."""
    return evidence.difference("", "1", first, second, "accuracy", LENET).found


def bayes_is_below(evidence, rival, between, within):
    """Whether Bayesian compression on LeNet5-Caffe is less accurate than L0 in every seed and than the row that the
    paper quotes by as many points as ``between``, and removes as much as that row ``within`` so many percent."""
    row, arm = printed("1", LENET, NAMES[rival]), f"{rival}-60"
    accuracy, gone = (mean_of(evidence, arm, figure, "1", LENET) for figure in ("accuracy", "effective_pct"))
    behind = all_below(*(evidence.figures("1", each, "accuracy", LENET) for each in (arm, "l0-60")))
    least, most = between
    return behind and least < row.acc_mean - accuracy < most and abs(gone - row.removed_pct) < within and gone > 98.5


def runs_in(evidence, table, profile, network):
    """The arm of each recorded run of ``network`` in a profile of ``table``."""
    entries = Results(table, profile, evidence.root).entries
    return [entry.arm.name for entry in entries if entry.record and entry.arm.network == network]


def of_resnet34(evidence, arm):
    """The result of this arm of ResNet34 x0.25, seed 0."""
    return evidence.runs("3", arm, "resnet34-x0.25", WHOLE)[0]["result"]


def behind_on_resnet34(evidence, arm):
    """Points by which it is less accurate than the dense network."""
    return of_resnet34(evidence, "tuned-dense")["accuracy"] - of_resnet34(evidence, arm)["accuracy"]


def epochs_of_the_student(arm):
    """Epochs that N2N has left for its last student."""
    options = n2n.Options(**dict(arm.rival.options))
    return arm.train.epochs - round((options.teacher + options.search) * arm.train.epochs)


def ticket_minus(evidence, arm, ticket="lottery-90"):
    """Accuracy of LeNet5-Caffe's ticket with a tenth of the weights left minus that of an arm."""
    return evidence.difference("", "rivals", ticket, arm, "accuracy", LENET).found


def results_on_lenet5(evidence, arm):
    """The results of an arm on LeNet5-Caffe."""
    return [run["result"] for run in evidence.runs("rivals", arm, LENET).values()]


def under_the_bound(evidence):
    """Runs of Bayesian compression on LeNet5-Caffe under the bound itself: those right, and those cut wrong."""
    runs = [run for arm in ("bc-gnj-bound", "bc-ghs-bound") for run in evidence.runs("prices", arm, LENET).values()]
    return [run for run in runs if right(run) > 90], [run for run in runs if right(run) <= 90]


def seed_0_of_vgg16(evidence, arm):
    """The result of this arm of VGG16 x0.25, seed 0."""
    return evidence.runs("3", arm, "vgg16-x0.25", WHOLE)[0]["result"]


def minus_dense_of_vgg16(evidence, arm):
    """Its accuracy minus that of the dense network."""
    return seed_0_of_vgg16(evidence, arm)["accuracy"] - seed_0_of_vgg16(evidence, "tuned-dense")["accuracy"]


def beside_floor(evidence, arm, floor):
    """Of each rival held against ``arm``: whether it stands above pruning to that one's widths (1), below (-1)."""
    return {
        rival: side
        for rival, theirs in comparable.held_against(evidence, arm).items()
        for side in sides([Sign("", comparable.living(evidence, theirs, f"{arm}-{floor}"))], FEW)
    }


def gained(evidence):
    """What training removes in the interventions on the sparse setting, by arm."""
    arms = [arm.name for arm in TABLES["sparsity"].arms["paper"] if arm.name != "short"]
    return {
        arm: one(
            {
                seed: run["result"]["removed_pct"] - run["result"]["start_removed_pct"]
                for seed, run in records.learned(evidence.runs("sparsity", arm)).items()
            }
        )
        for arm in arms
    }


def where_both_live(evidence, first, second, figure="accuracy"):
    """One arm of the controls minus another in a figure, of the seeds whose runs both live."""
    return evidence.difference("", "controls", first, second, lambda run: run["result"][figure]).found


FED = ("small", "small-fed-nothing", "small-fed-noise", "small-fed-constants", "small-fed-shuffled")
CUT = ("random", "norm")


def off_throughout(run):
    """Of the neurons that are off at the end of a run the share that was off at every look."""
    looks = [~np.concatenate(layers) for layers in flow.of_record(run).values()]
    return np.logical_and.reduce(looks).sum() / looks[-1].sum()


HOLDS = {
    "two fifths to three quarters of the neurons off at the end of the sparse setting always were": lambda evidence: (
        all(0.4 < off_throughout(run) < 0.75 for run in records.learned(evidence.runs("2", SPARSE)).values())
    ),
    "fed noise is not told from reading with small weights": lambda evidence: all(
        found.low < 0 < found.high
        for figure in ("accuracy", "removed_pct")
        for found in [less(evidence, "fed-noise", "snn-al-epoch", figure)]
    ),
    "free factors are less accurate and prune more with small weights": lambda evidence: (
        less(evidence, "fed-nothing", "snn-al-epoch", "accuracy").high < 0
        and less(evidence, "fed-nothing", "snn-al-epoch", "removed_pct").low > 0
    ),
    "free factors prune less with large weights": lambda evidence: (
        less(evidence, "fed-nothing-std-0.1", "snn-al-std-0.1", "removed_pct").high < 0
    ),
    "nearly all runs with constants or changing orders die with large weights": lambda evidence: all(
        len(evidence.dead("controls", f"fed-{kind}-std-0.1")) >= 7 for kind in ("constants", "shuffled")
    ),
    "with searches of their own reading prunes most": lambda evidence: (
        max(FED, key=lambda arm: mean_of(evidence, arm, "removed_pct")) == "small"
    ),
    "there reading loses one run and free factors and noise none": lambda evidence: (
        [len(evidence.dead("controls", arm)) for arm in FED[:3]] == [1, 0, 0]
    ),
    "where both lived it removes more than free factors and noise and changing orders": lambda evidence: all(
        where_both_live(evidence, "small", arm, "removed_pct").low > 0 for arm in (*FED[1:3], FED[4])
    ),
    "where both lived it is as accurate as free factors and noise": lambda evidence: all(
        found.low < 0 < found.high
        for arm in FED[1:3]
        for found in [where_both_live(evidence, "small", arm, "accuracy")]
    ),
    "where both lived changing orders are more accurate": lambda evidence: (
        where_both_live(evidence, "small", FED[4], "accuracy").high < 0
    ),
    "the recipes of the large search alone cost about a tenth of a point and that of the small one three": (
        lambda evidence: all(
            found.n >= 5 and low < -found.mean < high
            for table, arm, low, high in (
                ("2", "accurate", 0.05, 0.15),
                ("2", SPARSE, 0.05, 0.15),
                ("controls", "small", 0.25, 0.35),
            )
            for found in [evidence.difference("", table, f"dense-under-{arm}", "tuned-dense", "accuracy").found]
        )
    ),
    "in the accurate and the plain settings MNIST's networks are within half a point of dense and by a third smaller "
    "at most": lambda evidence: all(
        abs(evidence.difference("", table, arm, against, "accuracy", network).found.mean) < 0.5
        and mean_of(evidence, arm, "removed_pct", table, network) < 100 / 3
        for table, network in (("2", "mlp"), ("1", LENET))
        for arm, against in (("accurate", "tuned-dense"), ("snn-al-epoch", "dense"))
    ),
    "a run of the perceptron with a switcher takes four to six times as long as a dense one": lambda evidence: (
        4 < of_table_1(evidence, "snn-al-epoch").seconds / of_table_1(evidence, "dense").seconds < 6
    ),
    "with small first weights more than four fifths of the pixels are strengthened and with larger ones a third": (
        lambda evidence: (
            strengthened(evidence, "snn-al-epoch") > 80 and 30 < strengthened(evidence, "snn-al-std-0.1") < 36
        )
    ),
    "L0 removes more of the perceptron at a higher accuracy than either setting of SNN-AL": lambda evidence: all(
        l0.removed_pct > ours.removed_pct and l0.acc_mean > ours.acc_mean
        for l0 in [of_table_1(evidence, "l0-60")]
        for ours in [of_table_1(evidence, "accurate"), of_table_1(evidence, SPARSE)]
    ),
    "L0 on LeNet5-Caffe removes more at no lower accuracy": lambda evidence: all(
        l0.removed_pct > ours.removed_pct and l0.acc_mean >= ours.acc_mean
        for l0 in [of_table_1(evidence, "l0-60", LENET)]
        for ours in [of_table_1(evidence, "accurate", LENET), of_table_1(evidence, SPARSE, LENET)]
    ),
    "of LeNet5-Caffe's neurons off after the first epoch about half are off before the first step": lambda evidence: (
        0.4 < off_at_start() / pruning_after_one_epoch(evidence) < 0.6
    ),
    "cutting by the norm beats cutting at random with larger weights and at the sparse widths": lambda evidence: all(
        evidence.difference("", table, f"{arm}norm{ending}", f"{arm}random{ending}", "accuracy").found.low > 0
        for table, arm, ending in (("controls", "", "-std-0.1"), ("rivals", "sparse-", ""))
    ),
    "dense networks cut to the widths are more accurate where much is pruned": lambda evidence: all(
        less(evidence, f"{kind}-std-0.1", "snn-al-std-0.1", "accuracy").low > 0 for kind in CUT
    ),
    "where both live no rival is told to be less accurate": lambda evidence: all(
        found.high > 0 for found in living(evidence).values()
    ),
    "the three with a price on weights are less accurate than dense and remove more": lambda evidence: all(
        evidence.difference("", "rivals", "tuned-dense", arm, "accuracy").found.low > 0
        and evidence.difference("", "rivals", arm, SPARSE, comparable.removed).found.low > 0
        for arm in map(comparable.sparsest_of, ("bc-gnj", "bc-ghs", "l0"))
    ),
    "the small search's setting is a point and a half behind dense": lambda evidence: (
        1.25 < where_both_live(evidence, "tuned-dense", "small").mean < 1.75
    ),
    "rivals have five to nine settings to find and SNN-AL some twenty": lambda _: (
        {len(study.space) for study in STUDIES.values() if study.rival and study.network == "mlp"} == {5, 6, 7, 8, 9}
        and abs(len(STUDIES["mlp-small"].space) - 20) < 2
    ),
    "cutting by the norm is ahead by half a point in three settings and at random in all but the small search's": (
        lambda evidence: (
            all(where_both_live(evidence, beside(arm, "norm"), arm).mean > 0.5 for arm in controls.SPARSE.values())
            and all(where_both_live(evidence, beside(arm, "norm"), arm).low > 0 for arm in controls.SPARSE.values())
            and [
                where_both_live(evidence, beside(arm, "random"), arm).low > 0
                for arm in ("snn-al-std-0.1", SPARSE, "small")
            ]
            == [True, True, False]
        )
    ),
    "all rivals but N2N are ahead of the small search's setting in every pair that lives": lambda evidence: (
        {
            rival
            for rival, arm in comparable.held_against(evidence, "small").items()
            if not all_below(*(evidence.figures("rivals", each, right) for each in ("small", arm)))
        }
        == {"n2n"}
    ),
    "the structure found is more accurate from scratch where much is pruned": lambda evidence: all(
        where_both_live(evidence, beside(arm, "scratch"), arm).low > 0 for arm in controls.SPARSE.values()
    ),
    "the choice of neurons is better than chance in the small search's setting and level in the sparse one and worse "
    "with larger weights": lambda evidence: (
        [
            (found.low > 0) - (found.high < 0)
            for arm in ("small", SPARSE, "snn-al-std-0.1")
            for found in [where_both_live(evidence, beside(arm, "scratch"), beside(arm, "random-scratch"))]
        ]
        == [1, 0, -1]
    ),
    "BC-GHS stands where it was published": lambda evidence: (
        abs(mean_of(evidence, "bc-ghs-60", "accuracy", "rivals") - 98.2) < 0.1
        and abs(statistics.mean(100 - run["result"]["left_pct"] for run in ghs(evidence)) - 89.5) < 2
    ),
    "BC-GNJ ends smaller than asked for and half a point below its published row": lambda evidence: (
        evidence.figures("rivals", "bc-gnj-60", comparable.removed)
        and min(evidence.figures("rivals", "bc-gnj-60", comparable.removed).values()) > 90
        and 0.3 < 98.2 - mean_of(evidence, "bc-gnj-60", "accuracy", "rivals") < 0.7
    ),
    "the divergences chosen for Bayesian compression weigh more than the bound has it": lambda _: all(
        dict(arm_of(TABLES["rivals"], "paper", f"{rival}-60").rival.options)["strength"] > 1
        for rival in ("bc-gnj", "bc-ghs")
    ),
    "with batch norm each run of VGG-cov2 with a switcher learns": lambda evidence: (
        len(records.learned(colour_runs(evidence, "vgg-cov2-bn"))) >= 3
        and not evidence.dead("3", "accurate", "vgg-cov2-bn", WHOLE)
    ),
    "it is behind both dense networks in every seed": lambda evidence: (
        all_below(vgg(evidence, "accurate"), vgg(evidence, "tuned-dense"))
        and all_below(vgg(evidence, "accurate"), vgg(evidence, "tuned-dense", "vgg-cov2"))
    ),
    "batch norm makes the dense VGG-cov2 more accurate in every seed": lambda evidence: all_below(
        vgg(evidence, "tuned-dense", "vgg-cov2"), vgg(evidence, "tuned-dense")
    ),
    "at least four tenths of its weights are really gone in each run": lambda evidence: all(
        run["result"]["effective_pct"] >= 40 for run in colour_runs(evidence, "vgg-cov2-bn").values()
    ),
    "some two fifths of what it is behind go with steps of the task network": lambda evidence: (
        0.3
        < mean_less(vgg(evidence, "tuned-dense"), vgg(evidence, "tuned-dense-as-accurate"))
        / mean_less(vgg(evidence, "tuned-dense"), vgg(evidence, "accurate"))
        < 0.5
    ),
    "N2N's linear classifiers lie near nine tenths and its others above 95 percent": lambda evidence: (
        all(89 < each < 91 for each in left_by_n2n(evidence, 0, 90))
        and len(left_by_n2n(evidence, 1, 90)) == 4
        and min(left_by_n2n(evidence, 1, 90)) > 95
    ),
    "gates and divergences and the switcher take three to five times as long as dense and NestedNet and Deep Elastic "
    "Networks half as long again and masks and rounds up to two fifths more and N2N less": lambda evidence: (
        min(slow := quickest(evidence, "L0", "BC-GNJ", "BC-GHS", "SNN-AL")) > 2.7
        and max(slow) < 5
        and min(quickest(evidence, "NestedNet", "Deep Elastic Networks")) > 1.5
        and max(quickest(evidence, "lottery ticket", "lottery ticket, neurons", "DNW", "edge-popup")) < 1.4
        and quickest(evidence, "N2N")[0] < 1
    ),
    "by its authors' recipe it is more accurate and loses an eighth of the weights less": lambda evidence: (
        [
            98.2 < right(run) < 98.5 and 10 < 89.5 - (100 - run["result"]["left_pct"]) < 15
            for run in evidence.runs("rivals", "bc-ghs-authors", profile="authors").values()
        ]
        == [True]
    ),
    "four stand above random pruning to the sparse widths and five are not told from it and BC-GNJ lies below and the "
    "two Bayesian ones lie above it at those of the small search": lambda evidence: (
        beside_floor(evidence, SPARSE, "random")
        == dict.fromkeys(("lottery", "lottery-neurons", "dnw", "nested"), 1)
        | dict.fromkeys(("l0", "edge-popup", "bc-ghs", "elastic", "n2n"), 0)
        | {"bc-gnj": -1}
        and all(comparable.living(evidence, arm, "small-random").low > 0 for arm in ("bc-gnj-60", "bc-ghs-60"))
    ),
    "of the rivals only the ticket in both forms and DNW and NestedNet stand above pruning by the norm to the sparse "
    "widths and L0 is not told from it and the others lie below": lambda evidence: (
        beside_floor(evidence, SPARSE, "norm")
        == dict.fromkeys(("lottery", "lottery-neurons", "dnw", "nested"), 1)
        | {"l0": 0}
        | dict.fromkeys(("bc-gnj", "bc-ghs", "edge-popup", "elastic", "n2n"), -1)
    ),
    "at the widths of the small search the ticket in both forms and DNW and BC-GHS stand above pruning by the norm": (
        lambda evidence: (
            {rival for rival, side in beside_floor(evidence, "small", "norm").items() if side == 1}
            == {"lottery", "lottery-neurons", "dnw", "bc-ghs"}
        )
    ),
    "without batch norm nearly half of the weights are off before the first step and with it none": lambda evidence: (
        all_of(45 < off < 50 for off in vgg_off_at_start(evidence, "vgg-cov2"))
        and all_of(off == 0 for off in vgg_off_at_start(evidence, "vgg-cov2-bn"))
    ),
    "no rival is told from either setting with lost runs as guessing": lambda evidence: all_of(
        found.low < 0 < found.high
        for arm in (SPARSE, "small")
        for theirs in comparable.held_against(evidence, arm).values()
        for found in [evidence.difference("", "rivals", theirs, arm, "accuracy").found]
    ),
    "where both live L0 and the ticket in both forms and edge-popup and DNW and NestedNet are ahead of the sparse "
    "setting and the others remove more and are not told from it": lambda evidence: (
        {rival for rival, found in living(evidence).items() if found.low > 0}
        == {"l0", "lottery", "lottery-neurons", "edge-popup", "dnw", "nested"}
        and all_of(
            found.low < 0 < found.high
            and mean_gone(evidence, comparable.held_against(evidence, SPARSE)[rival]) > mean_gone(evidence, SPARSE)
            for rival, found in living(evidence).items()
            if not found.low > 0
        )
    ),
    "against the small search all but N2N are ahead in every pair": lambda evidence: all_of(
        (comparable.pairs_ahead(evidence, theirs, "small") == 8) == (rival != "n2n")
        for rival, theirs in comparable.held_against(evidence, "small").items()
    ),
    "the ticket that cuts neurons is the most accurate of those that leave fewer neurons and NestedNet follows": (
        lambda evidence: (
            list(rivals_tables.best(of_rivals(evidence)).loc[rivals_tables.KINDS["neurons"]].index[:2])
            == ["lottery ticket, neurons", "NestedNet"]
        )
    ),
    "DNW is at each of its sizes the most accurate of all that remove as much": lambda evidence: all_of(
        row.acc_mean > other.acc_mean
        for row in of_rivals(evidence)
        if row.arm.startswith("dnw-")
        for other in of_rivals(evidence)
        if other.source == "ours" and not other.arm.startswith("dnw-") and other.acc_mean is not None
        if other.gone_pct >= row.gone_pct - 0.5
    ),
    "SNN-AL lies below random pruning at its sparse widths and below pruning by the norm in both settings": (
        lambda evidence: all(
            comparable.living(evidence, arm, f"{arm}-{floor}").high < 0
            for arm, floor in ((SPARSE, "random"), (SPARSE, "norm"), ("small", "norm"))
        )
    ),
    "thirty seeds and no fewer than twenty would decide on the sparse setting at its rate of loss": lambda evidence: (
        20 < seeds_to_decide(evidence, "l0-60") <= 32 and seeds_to_decide(evidence, "bc-gnj-60") <= 35
    ),
    "in both tuned settings SNN-SL is the more accurate in the mean and prunes next to nothing": lambda evidence: all(
        mean_of(evidence, f"{arm}-sl", "accuracy", "2") > mean_of(evidence, arm, "accuracy", "2")
        and mean_of(evidence, f"{arm}-sl", "removed_pct", "2") < 2
        for arm in ("accurate", SPARSE)
    ),
    "the switchers of the perceptron's sparse settings and LeNet5-Caffe's accurate one stop at a quarter and that of "
    "its sparse one at half": lambda _: (
        [
            arm_of(TABLES[table], "paper", arm, network).train.switcher_until
            for table, arm, network in (
                ("2", SPARSE, "mlp"),
                ("controls", "small", "mlp"),
                ("1", "accurate", "lenet5-caffe"),
                ("1", "sparse", "lenet5-caffe"),
            )
        ]
        == [0.25, 0.25, 0.25, 0.5]
    ),
    "where both lived it is less accurate than changing orders by half a point or so": lambda evidence: (
        0.4 < -where_both_live(evidence, "small", "small-fed-shuffled").mean < 0.7
    ),
    "the sparse setting loses three quarters of a point where it lives": lambda evidence: (
        0.7 < -evidence.difference("", "2", SPARSE, "tuned-dense", right).found.mean < 0.8
    ),
    "VGG-cov2's run without batch norm that learns is some thirty points behind": lambda evidence: (
        [
            25 < vgg(evidence, "tuned-dense", "vgg-cov2")[seed] - right(run) < 35
            for seed, run in records.learned(colour_runs(evidence, "vgg-cov2")).items()
        ]
        == [True]
    ),
    "at every price a lambda for each layer removes more": lambda evidence: all(
        priced(evidence, "each", price).gone_pct > priced(evidence, "one", price).gone_pct for price in LAMBDAS
    ),
    "at no price it is more than two tenths of a point less accurate and at the largest more than a point more": (
        lambda evidence: min(dearer(evidence, price) for price in LAMBDAS) > -0.2 and dearer(evidence, LAMBDAS[-1]) > 1
    ),
    "one lambda keeps more than four fifths of the last hidden layer at any price": lambda evidence: all(
        80 < priced(evidence, "one", price).widths[2] < 90 for price in LAMBDAS
    ),
    "a lambda for each layer at 0.2 comes within a tenth of a point and one and a half percent of the row that is "
    "quoted": (
        lambda evidence: (
            abs(priced(evidence, "each", 0.2).acc_mean - printed("1", "mlp", prices.QUOTED).acc_mean) < 0.1
            and abs(priced(evidence, "each", 0.2).gone_pct - printed("1", "mlp", prices.QUOTED).gone_pct) < 1.5
        )
    ),
    "on LeNet5-Caffe L0 removes 98 percent of the weights and is three tenths of a point behind dense": (
        lambda evidence: (
            98 < mean_of(evidence, "l0-60", "effective_pct", "1", LENET) < 99
            and 0.2 < -of_lenet(evidence, "l0-60", "tuned-dense").mean < 0.35
        )
    ),
    "L0 there is not told from the accurate setting and ahead of the sparse one in every pair": lambda evidence: (
        of_lenet(evidence, "l0-60", "accurate").low < 0 < of_lenet(evidence, "l0-60", "accurate").high
        and all(
            accuracy > evidence.figures("1", "sparse", "accuracy", LENET)[seed]
            for seed, accuracy in evidence.figures("1", "l0-60", "accuracy", LENET).items()
        )
    ),
    "L0 there is one to three tenths of a point above the row that is quoted at the same size within a percent": (
        lambda evidence: (
            0.1 < beyond_quoted(evidence, "accuracy", "acc_mean") < 0.3
            and abs(beyond_quoted(evidence, "effective_pct", "gone_pct")) < 1
        )
    ),
    "neither setting of SNN-AL stands above random pruning to its widths": lambda evidence: all(
        comparable.living(evidence, arm, f"{arm}-random").mean < 0 for arm in (SPARSE, "small")
    ),
    "MobileNetV1 runs that remove nothing are as far behind as the others": lambda evidence: (
        abs(behind_dense(evidence, True) - behind_dense(evidence, False)) < 0.5
    ),
    "with batch norm the means of the first FC layer move as the paper has them and no interval leaves out 0": (
        lambda evidence: all(
            found.n == 3 and sign * found.mean > 0 and found.low < 0 < found.high
            for kind, sign in (("pruned", -1), ("weakened", -1), ("strengthened", 1))
            for found in [moved(evidence, kind)]
        )
    ),
    "DNW on MobileNetV1 is behind dense and ahead of SNN-AL in every seed": lambda evidence: all(
        all_below(narrow(evidence, "accurate"), narrow(evidence, arm))
        and all_below(narrow(evidence, arm), narrow(evidence, "tuned-dense"))
        for arm in ("dnw-60", "dnw-75")
    ),
    "with a tenth of the weights it is behind SNN-AL in every seed": lambda evidence: all_below(
        narrow(evidence, "dnw-90"), narrow(evidence, "accurate")
    ),
    "edge-popup on VGG-cov2 is eleven or twelve points behind dense in every seed": lambda evidence: (
        [
            10.5 < vgg(evidence, "tuned-dense", "vgg-cov2")[seed] - accuracy < 12.5
            for seed, accuracy in vgg(evidence, "edge-popup-50", "vgg-cov2").items()
        ]
        == [True] * 3
    ),
    "at its authors' rate and batch it is four to five points better and seven behind dense": lambda evidence: (
        [
            4 < accuracy - vgg(evidence, "edge-popup-50", "vgg-cov2")[seed] < 5
            and 6.5 < vgg(evidence, "tuned-dense", "vgg-cov2")[seed] - accuracy < 7.5
            for seed, accuracy in vgg(evidence, "edge-popup-recipe", "vgg-cov2").items()
        ]
        == [True] * 3
    ),
    "the lottery ticket there is behind SNN-AL in every seed with two rounds": lambda evidence: all(
        all_below(narrow(evidence, arm), narrow(evidence, "accurate"))
        and dict(arm_of(TABLES["3"], WHOLE, arm, "mobilenet-v1-x0.25").rival.options)["rounds"] == 2
        for arm in ("lottery-60", "lottery-75", "lottery-90")
    ),
    "Deep Elastic Networks give every image the same widths": lambda evidence: all_of(
        width == round(width)
        for table, arm in (("rivals", "elastic-60"), ("prices", "elastic-tenth"), ("prices", "elastic-fine"))
        for run in evidence.runs(table, arm).values()
        for width in run["result"]["mean_widths"]
    ),
    "at a tenth of the price all but one run remove a little more than half": lambda evidence: (
        [50 < 100 - run["result"]["left_pct"] < 55 for run in evidence.runs("prices", "elastic-tenth").values()].count(
            True
        )
        == 7
    ),
    "with ten levels the price chosen removes from less than half to nine tenths": lambda evidence: (
        min(left := [run["result"]["left_pct"] for run in evidence.runs("prices", "elastic-fine").values()]) < 10
        and max(left) > 50
        and len(left) == 8
    ),
    "N2N keeps the whole network where a student must keep 95 percent": lambda evidence: all_of(
        run["result"]["left_pct"] == 100 for run in evidence.runs("prices", "n2n-strict").values()
    ),
    "the ticket with a tenth of LeNet5-Caffe's weights left is a quarter of a point behind dense and not told from L0 "
    "or the accurate setting": lambda evidence: (
        -0.3 < ticket_minus(evidence, "tuned-dense").mean < -0.2
        and all(
            found.n == 8 and found.low < 0 < found.high
            for found in (ticket_minus(evidence, "l0-60"), ticket_minus(evidence, "accurate"))
        )
    ),
    "its structured form there is a fifth of a point behind dense and not told from the ticket and the accurate "
    "setting": (
        lambda evidence: (
            round(ticket_minus(evidence, "tuned-dense", "lottery-neurons-90").mean, 1) == -0.2
            and all(
                found.n == 8 and found.low < 0 < found.high
                for found in (ticket_minus(evidence, arm, "lottery-neurons-90") for arm in ("lottery-90", "accurate"))
            )
        )
    ),
    "it is less than a tenth of a point ahead of L0 by an interval that leaves out 0 and would not corrected for three "
    "comparisons": lambda evidence: (
        ticket_minus(evidence, "l0-60", "lottery-neurons-90").low > 0
        and ticket_minus(evidence, "l0-60", "lottery-neurons-90").mean < 0.1
        and 0.05 / 3 < ticket_minus(evidence, "l0-60", "lottery-neurons-90").p < 0.05
    ),
    "the structured form needs less than two thirds of L0's multiplications in every pair with less than a third of "
    "the kernels where L0 keeps more than half of the first layer's": lambda evidence: all(
        ticket["macs_left"] < 2 / 3 * price["macs_left"]
        and all(3 * left < whole for left, whole in zip(ticket["widths"][:2], ticket["full_widths"]))
        and 2 * price["widths"][0] > price["full_widths"][0]
        for ticket, price in zip(*(results_on_lenet5(evidence, arm) for arm in ("lottery-neurons-90", "l0-60")))
    ),
    "with the bound of the perceptron N2N keeps the whole ResNet34 x0.25 and is more than six points behind dense": (
        lambda evidence: (
            of_resnet34(evidence, "n2n-63")["left_pct"] == 100 and 6 < behind_on_resnet34(evidence, "n2n-63") < 7
        )
    ),
    "without it N2N keeps less than a sixth of the weights and of the multiplications and a quarter of the blocks and "
    "is nearly twelve points behind": lambda evidence: (
        of_resnet34(evidence, "n2n-unbound")["left_pct"] < 100 / 6
        and of_resnet34(evidence, "n2n-unbound")["macs_left"] < of_resnet34(evidence, "n2n-unbound")["macs_full"] / 6
        and sum(width > 0 for width in of_resnet34(evidence, "n2n-unbound")["inner_widths"]) == 4
        and len(of_resnet34(evidence, "n2n-unbound")["inner_widths"]) == 16
        and 11.5 < behind_on_resnet34(evidence, "n2n-unbound") < 12
    ),
    "SNN-AL there is nearly three points behind with seven tenths of the last layer off": lambda evidence: (
        2.5 < behind_on_resnet34(evidence, "accurate") < 3
        and round(of_resnet34(evidence, "accurate")["removed_pct"] / 10) == 7
    ),
    "BC-GNJ on LeNet5-Caffe is behind L0 in every pair and a third of a point or more below its published row": (
        lambda evidence: bayes_is_below(evidence, "bc-gnj", (0.33, 0.67), 0.5)
    ),
    "BC-GHS there is behind L0 in every pair and nearly a point below its published row at the same size within a "
    "percent": lambda evidence: bayes_is_below(evidence, "bc-ghs", (0.8, 1), 1),
    "the divergence chosen for BC-GHS there weighs seven times as much as the bound has it": lambda _: (
        6.5 < dict(arm_of(TABLES["1"], "paper", "bc-ghs-60", LENET).rival.options)["strength"] < 7.5
    ),
    "under the bound itself runs that the cut spares come to the published accuracy with one to two and a half "
    "percent of the weights left": lambda evidence: all_of(
        right(run) >= 99 and 1 < run["result"]["left_pct"] < 2.5 for run in under_the_bound(evidence)[0]
    ),
    "one run of BC-GNJ under the bound has that accuracy two epochs before its end and is then cut to a quarter": (
        lambda evidence: (
            [
                (round(100 * run["history"][-3]["accuracy"]), round(right(run) / 25))
                for run in under_the_bound(evidence)[1]
            ]
            == [(99, 1)]
        )
    ),
    "on VGG16 x0.25 NestedNet is half a point to one and a half points ahead of dense at each size": lambda evidence: (
        all_of(0.5 < minus_dense_of_vgg16(evidence, f"nested-{size}") < 1.5 for size in (55, 75, 90))
    ),
    "Deep Elastic Networks chosen for 60 percent are within half a point of dense with an eighth of the FC weights": (
        lambda evidence: (
            abs(minus_dense_of_vgg16(evidence, "elastic-60")) < 0.5
            and 11 < seed_0_of_vgg16(evidence, "elastic-60")["left_pct"] < 13
        )
    ),
    "SNN-AL there is more than a point behind dense and removes less than a tenth": lambda evidence: (
        -2 < minus_dense_of_vgg16(evidence, "accurate") < -1
        and seed_0_of_vgg16(evidence, "accurate")["removed_pct"] < 10
    ),
    "the divergence chosen for BC-GNJ on LeNet5-Caffe weighs nearly three times as much as the bound has it": (
        lambda _: 2.5 < dict(arm_of(TABLES["1"], "paper", "bc-gnj-60", LENET).rival.options)["strength"] < 3
    ),
    "with rounds of full length it is five to ten points better": lambda evidence: all_of(
        5 < right(run) - narrow(evidence, "lottery-60")[seed] < 10 for seed, run in long_rounds(evidence)
    ),
    "it ends within three points of its own first round which is two to five behind dense": lambda evidence: all_of(
        abs(right(run) - 100 * run["history"][15]["accuracy"]) < 3
        and 2 < narrow(evidence, "tuned-dense")[seed] - 100 * run["history"][15]["accuracy"] < 5
        for seed, run in long_rounds(evidence)
    ),
    "with rounds of full length it is ahead of SNN-AL and two to five points behind dense": lambda evidence: all_of(
        2 < narrow(evidence, "tuned-dense")[seed] - right(run) < 5.5 and right(run) > narrow(evidence, "accurate")[seed]
        for seed, run in long_rounds(evidence)
    ),
    "dense VGG-cov2 lies two to three points below the published one and gains more than that from twice the epochs": (
        lambda evidence: (
            2 < short_of_published(evidence) < 3 and gained_by_longer(evidence) > short_of_published(evidence)
        )
    ),
    "the switcher's choice of neurons is not told from chance once corrected": lambda evidence: (
        sides(
            [
                evidence.difference("", "controls", beside(arm, "scratch"), beside(arm, "random-scratch"), "accuracy")
                for arm in controls.SPARSE.values()
            ],
            FEW,
        )
        == [0, 0, 0]
    ),
    "L0 and BC-GNJ for nine tenths are nearly a point behind dense and BC-GHS a third": lambda evidence: (
        all(0.75 < behind(evidence, rival) < 1 for rival in ("l0-90", "bc-gnj-60"))
        and 0.3 < behind(evidence, "bc-ghs-60") < 0.4
    ),
    "as much is off at the end of the sparse setting as at its start": lambda evidence: (
        abs(mean_of(evidence, SPARSE, "removed_pct", "2") - mean_of(evidence, SPARSE, "start_removed_pct", "2")) < 10
    ),
    "a start with nothing off ends with next to nothing removed": lambda evidence: (
        mean_of(evidence, "short-start-none", "removed_pct", "sparsity") < 1
    ),
    "most goes in the first turn in the small search's setting": lambda evidence: (
        mean_of(evidence, "small", "first_turn_removed_pct") > 0.5 * mean_of(evidence, "small", "removed_pct")
    ),
    "noise prunes as much in its first turn": lambda evidence: (
        mean_of(evidence, "small-fed-noise", "first_turn_removed_pct")
        > mean_of(evidence, "small", "first_turn_removed_pct") - 5
    ),
    "training removes something in every other intervention": lambda evidence: all(
        found.mean > 0 for arm, found in gained(evidence).items() if arm != "short-start-none"
    ),
    "only where the rate falls early its interval says so": lambda evidence: (
        [arm for arm, found in gained(evidence).items() if found.low > 0] == ["short-early"]
    ),
}


def marked(kind):
    return [
        (page.name, part)
        for page in (README, INTRO, *sorted(CHAPTERS.glob("*.md")))
        for each, mark in MARK.findall(page.read_text())
        for part in mark.split(", ")
        if each == kind
    ]


@pytest.mark.parametrize(("page", "said"), marked("counts"))
def test_a_number_that_prose_spells_out_is_what_it_counts(page, said, evidence):
    what, number = said.split(" = ")
    assert COUNTS[what](evidence) == int(number), f"{page}: read what stands around the mark again"


@pytest.mark.parametrize(("page", "what"), marked("holds"))
def test_what_prose_says_without_a_number_holds(page, what, evidence):
    assert HOLDS[what](evidence), f"{page}: read what stands around the mark again"


def test_every_count_and_every_sentence_is_used():
    assert {said.split(" = ")[0] for _, said in marked("counts")} == set(COUNTS)
    assert {what for _, what in marked("holds")} == set(HOLDS)
