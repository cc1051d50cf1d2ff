"""The experiments as data: what runs belong to a table, who shares them, and in which order a queue takes them."""

import itertools
import os
import re
from dataclasses import replace

import invented
import pytest
from command_line import inside
from invented import unchecked  # noqa: F401

from snnlib.arms import Arm
from snnlib.commands import PROFILE_HELP
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.lab import batch, machine, records, workers
from snnlib.lab.experiments import PROFILES, TABLES, arm_of, place_in_queue, question, whole
from snnlib.lab.names import Refused
from snnlib.networks import NETWORKS
from snnlib.report import pixels, printing, tables

PAPER = [name for name in TABLES if "paper" in TABLES[name].arms]


def test_every_table_has_its_reference_for_each_network():
    for table in TABLES.values():
        for profile, arms in table.arms.items():
            assert profile in PROFILES and len({(arm.network, arm.name) for arm in arms}) == len(arms)
            for network in {arm.network for arm in arms}:
                assert network in NETWORKS
                alone = all(table.reference_of(arm.name) == arm.name for arm in arms if arm.network == network)
                reference = "tuned-dense" if profile == "whole" else table.reference
                assert alone or arm_of(table, profile, reference, network).network == network
            for arm in arms:
                reference = arm_of(table, profile, table.reference_of(arm.name), arm.network)
                tuned = reference.name in ("tuned-dense", "small")  # whose settings a search of its own has found
                assert tuned or reference.train.fc_std == arm.train.fc_std or table.name not in ("controls", "question")
    with pytest.raises(KeyError):
        arm_of(TABLES["1"], "paper", "dense", "resnet34")


def test_the_help_of_the_commands_names_every_profile():
    assert set(PROFILES) <= set(re.findall(r"\w+", PROFILE_HELP))


def test_the_mlp_of_table_1_is_that_of_table_2(tmp_path):
    for profile in ("smoke", "quick", "paper"):
        for name in ("dense", "snn-al-epoch", "dense-equal-steps"):
            ones = [arm_of(TABLES[table], profile, name, "mlp") for table in ("1", "2")]
            assert len({arm.settings_hash() for arm in ones}) == 1
            assert len({records.path_of(arm, profile, 0, tmp_path) for arm in ones}) == 1


def test_large_networks_have_fewer_seeds_and_seeds_come_in_whole_pairs():
    table = TABLES["3"]
    runs = table.runs("paper")
    seeds = {network: sorted({seed for arm, seed in runs if arm.network == network}) for network in table.networks}
    assert seeds["vgg16"] == seeds["resnet34"] == [0, 1, 2] and seeds["vgg-cov2"] == list(range(8))
    assert [seed for _, seed in runs] == sorted(seed for _, seed in runs)


def test_the_queue_takes_the_most_wanted_first(tmp_path):
    todo = batch.plan(PAPER, "paper", tmp_path).to_do
    order = list(dict.fromkeys((job.arm.dataset, job.arm.network) for job in todo))
    assert order[:4] == [
        ("cifar10", "vgg-cov2"),
        ("cifar10", "vgg-cov2-bn"),
        ("mnist", "mlp"),
        ("mnist", "lenet5-caffe"),
    ]
    assert order[4:7] == [
        ("cifar10", "mobilenet-v1-x0.25"),
        ("cifar10", "mobilenet-v1-x1"),
        ("mini_imagenet", "mobilenet-v1-x0.25"),
    ]
    small = [place_in_queue("3", each) for each in ("mobilenet-v1-x0.25", *whole.REDUCED, "vgg16", "resnet34")]
    assert small == sorted(small) and len(set(small[:4])) == 4, "what two cores can do comes first"
    assert len(todo) == len(set(todo)), "runs that two tables share are made once"
    assert place_in_queue("search", "mlp") > max(
        place_in_queue(name, network) for name in PAPER for network in TABLES[name].networks
    )


def test_one_network_of_a_table_may_be_asked_for(tmp_path, capsys):
    todo = batch.plan(["3"], "paper", tmp_path, networks=["vgg-cov2"]).to_do
    assert {job.arm.network for job in todo} == {"vgg-cov2"} and len(todo) == 24
    with pytest.raises(Refused, match="unknown network of table 3 'vgg-cov'"):
        batch.plan(["3"], "paper", tmp_path, networks=["vgg-cov"])
    code, said, _ = inside(
        capsys, "run", "3", "--profile", "paper", "--network", "vgg16", "--dry-run", "--records", tmp_path
    )
    assert code == 0 and "cifar10 vgg16 dense: 3 runs (seed 0, 1, 2)" in said and "resnet" not in said
    assert not any(tmp_path.rglob("*.json"))


def test_seeds_of_small_networks_are_grouped_and_nothing_else(tmp_path):
    todo = batch.plan(PAPER, "paper", tmp_path).to_do
    assert list(workers.groups_of(todo, 1)) == [[job] for job in todo]
    groups = workers.groups_of(todo, 8)
    assert sorted(map(str, itertools.chain.from_iterable(groups))) == sorted(map(str, todo))
    for group in groups:
        seeds = sum(job.arm == group[0].arm for job in todo)
        assert len({job.arm for job in group}) == 1 and len(group) == (
            min(seeds, 8) if workers.may_batch(group[0].arm) else 1
        )


def test_reduced_networks_stand_behind_those_whose_form_they_are():
    networks = TABLES["3"].networks
    for reduced, network in whole.REDUCED.items():
        assert networks.index(reduced) == networks.index(network) + 1
    assert whole.with_reduced(("vgg16", "mobilenet-v1-x1")) == ("vgg16", "vgg16-x0.25", "mobilenet-v1-x1")


@pytest.mark.usefixtures("unchecked")
def test_each_networks_rows_stand_together_the_papers_first(tmp_path):
    for arm, seed in TABLES["3"].runs("smoke"):
        result = {
            "accuracy": 50.0 + {"dense": 0, "snn-al-epoch": 1, "dense-equal-steps": -1}[arm.name],
            "widths": [1],
            "removed_pct": 0.0,
            "effective_pct": 0.0,
        }
        records.write(
            records.path_of(arm, "smoke", seed, tmp_path),
            invented.record(arm, seed, profile="smoke", result=result, history=[]),
        )
    rows = tables.rows("3", "smoke", tmp_path)
    networks = list(dict.fromkeys("".join(filter(str.isalnum, row.network)) for row in rows))
    known = [network for network in TABLES["3"].networks if network not in whole.REDUCED]
    assert networks == ["".join(filter(str.isalnum, network)) for network in known]
    for network in networks:
        sources = [row.source for row in rows if "".join(filter(str.isalnum, row.network)) == network]
        assert sources == sorted(sources, reverse=True)
    ours = [row for row in rows if row.source == "ours"]
    assert [row.diff_mean for row in ours] == [None, 1.0, -1.0] * 6  # each against the dense run of its own network
    assert printing.cells(ours[0])[1] == "vgg-cov2: dense" and "of the same network" in printing.notes(rows)[0]
    assert any("compare with our x1" in note for note in printing.notes(rows)) and not any(
        "our x1" in note for note in printing.notes(tables.rows("1", "smoke", tmp_path))
    )


def test_a_worker_trains_seeds_together_and_reports_each(tmp_path):
    arm = Arm(
        "tiny", "alternating", train=TrainConfig(epochs=2, train_images=256), switcher=SwitcherConfig(channels=(2, 4))
    )
    jobs = [workers.Job(arm, "quick", seed, tmp_path / "together") for seed in (0, 1, 2)]
    heard = list(workers.work(jobs, "cpu", workers=1, together=2))
    kinds = [(event.job.seed, event.kind, event.done) for event in heard]
    group = [
        (0, "started", 0),
        (1, "started", 0),
        (0, "epoch", 1),
        (1, "epoch", 1),
        (0, "epoch", 2),
        (1, "epoch", 2),
        (0, "finished", 0),
        (1, "finished", 0),
    ]
    assert kinds == [*group, (2, "started", 0), (2, "epoch", 1), (2, "epoch", 2), (2, "finished", 0)]
    for event in heard:
        if event.kind == "finished":
            assert event.record == records.read(records.path_of(arm, "quick", event.job.seed, tmp_path / "together"))
    # a data set that is missing is refused for each of its runs, and what comes after it is made
    lost = replace(arm, dataset=str(tmp_path / "nowhere"))
    mixed = [workers.Job(lost, "quick", seed, tmp_path) for seed in (0, 1)] + [
        workers.Job(replace(arm, name="after"), "quick", 0, tmp_path)
    ]
    ends = [
        (event.job.arm.name, event.kind)
        for event in workers.work(mixed, "cpu", workers=1, together=2)
        if event.kind in ("refused", "finished")
    ]
    assert ends == [("tiny", "refused"), ("tiny", "refused"), ("after", "finished")]


@pytest.mark.slow
def test_a_runs_bits_do_not_depend_on_what_else_is_pending(tmp_path):
    """A run alone takes one thread, as two at once do; the record says how many."""
    arm = Arm("tiny", "alternating", train=TrainConfig(epochs=2, train_images=256), switcher=SwitcherConfig((2, 4)))

    def made(folder, seeds, **options):
        jobs = [workers.Job(arm, "quick", seed, tmp_path / folder) for seed in seeds]
        events = workers.work(jobs, "cpu", **options)
        return next(event.record for event in events if event.kind == "finished" and event.job.seed == 1)

    alone, beside, wider = (
        made("alone", [1], workers=1),
        made("beside", [0, 1], workers=2),
        made("wider", [1], workers=1, threads=2),
    )
    assert records.comparable(alone) == records.comparable(beside)
    assert [record["device"].split(", ")[-1] for record in (alone, beside, wider)] == [
        "1 thread(s)",
        "1 thread(s)",
        "2 thread(s)",
    ]


def test_the_open_question_is_asked_where_the_rule_says_that_the_pattern_shows():
    """Of the candidates with 97 % on held-out images, the one with the largest contrast, both in the mean of three
    seeds."""
    table, found = TABLES["pattern"], {}
    for arm in table.arms["search"]:
        runs = [records.look_up(arm, "search", seed, records.default_root()) for seed in table.seeds_of(arm, "search")]
        assert arm.train.split == "holdout" and all(run.state == "recorded" for run in runs), arm.name
        results = [run.record for run in runs]
        if sum(record["result"]["accuracy"] for record in results) / 3 >= 97:
            found[arm.name] = sum(map(pixels.edge_contrast, results)) / 3
    assert max(found, key=found.get) == f"pattern-{question.SHOWN}"
    shown = arm_of(TABLES["question"], "paper", "pattern")
    assert shown.train == replace(arm_of(table, "search", f"pattern-{question.SHOWN}").train, split="full")


def test_workers_ask_for_huge_pages_and_what_was_asked_for_stays(monkeypatch):
    monkeypatch.setattr(machine.platform, "libc_ver", lambda: ("glibc", "2.36"))
    for before, during in (
        (None, "glibc.malloc.hugetlb=1"),
        ("glibc.malloc.check=1", "glibc.malloc.check=1:glibc.malloc.hugetlb=1"),
        ("glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"),
    ):
        if before is None:
            monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
        else:
            monkeypatch.setenv("GLIBC_TUNABLES", before)
        with machine.huge_pages():
            assert os.environ.get("GLIBC_TUNABLES") == during
        assert os.environ.get("GLIBC_TUNABLES") == before
    monkeypatch.setattr(machine.platform, "libc_ver", lambda: ("", ""))
    with machine.huge_pages():
        assert os.environ["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=0"
