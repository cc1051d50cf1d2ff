"""Figures with controls: their marks are the trials, their frames the record, and nothing is fetched."""

import re

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from test_search_figures import STUDY, TRIALS

from snnlib import data, seeds
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.networks import MLP
from snnlib.report import film, interactive
from snnlib.report.digests import digest
from snnlib.switching.switched import Switched
from snnlib.training import flow, train_alternating

LOOKS = {"start": [[1, 0, 0], [0, 0]], "first turn": [[1, 1, 0], [0, 1]], "epoch 0": [[0, 1, 0], [0, 1]]}
RECORD = {
    "arm": "a", "title": "A <run>", "seed": 3,
    "off": {
        "times": list(LOOKS), "widths": [3, 2],
        "bits": flow.pack([flow.encode([1.0 - torch.tensor(each) for each in look]) for look in LOOKS.values()]),
    },
}  # fmt: skip


@pytest.fixture(params=["plane", "film"])
def shown(request):
    if request.param == "plane":
        return interactive.search_plane(TRIALS, STUDY, published={"the <paper>": (74.61, 98.41)})
    return film.film(RECORD)


def test_a_live_figure_fetches_nothing_and_says_what_it_shows(shown):
    soup = BeautifulSoup(shown._repr_html_(), "html.parser")
    assert not soup.find_all(src=True) and not soup.find_all("link") and "http" not in shown.html
    assert soup.svg["role"] == "img" and soup.svg["aria-label"]
    assert soup.find(id=re.search(r'getElementById\("([^"]+)"\)', soup.script.string)[1]) is not None
    assert "@media print" in soup.style.string
    assert len(repr(shown)) < 200


def test_the_same_data_give_the_same_figure():
    assert film.film(RECORD).html == film.film(RECORD).html


def test_each_good_trial_is_a_mark_in_the_order_of_weights_removed():
    soup = BeautifulSoup(interactive.search_plane(TRIALS, STUDY).html, "html.parser")
    told = [mark["data-told"] for mark in soup.select("[data-told]")]
    assert [re.match(r"Trial (\d+)", each)[1] for each in told] == ["5", "0", "2", "1"]
    assert told[1].startswith("Trial 0, rung 1: accuracy 98.00 %, 30.0 % of the weights removed, 10.0 % before")
    places = [float(mark["cx"]) for mark in soup.select("circle")]
    assert places == sorted(places)


def test_a_mark_tells_its_settings():
    trials = TRIALS.assign(rate=0.012345, clip_network=np.nan, schedule="cosine")
    soup = BeautifulSoup(interactive.search_plane(trials, STUDY).html, "html.parser")
    told = soup.select_one("[data-told]")["data-told"]
    assert "rate 0.0123" in told and "schedule cosine" in told and "clip" not in told


def test_without_good_trials_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="nothing to draw"):
        interactive.search_plane(TRIALS, STUDY, lowest=99.5)


def frames_of(shown):
    return re.search(r'FRAMES = \["([^\]]*)"\]', shown.html)[1].split('","')


def fills_of(shown):
    return [rect["fill"] for rect in BeautifulSoup(shown.html, "html.parser").select("rect[data-n]")]


def test_frames_are_the_looks_of_the_record_and_the_last_is_the_still():
    shown = film.film(RECORD)
    assert frames_of(shown) == ["01111", "00110", "20110"], "0 off, 1 on, 2 on again"
    colours = list(film.KINDS.values())
    assert fills_of(shown) == [colours[2], colours[0], colours[1], colours[1], colours[0]]
    assert "After epoch 1: 2-1 are on" in shown.html and "Before the first step: 2-2 are on" in shown.html


def test_a_film_of_factors_has_a_shade_for_each_size_and_a_hue_for_each_class():
    factors = {"start": [[0.0, 0.1, 0.9], [1.0, 3.0]], "epoch 0": [[0.5, 0.0, 2.0], [0.0, 0.99]]}
    shown = film.film_of_factors(factors, "a run")
    assert frames_of(shown) == ["0178f", "40d07"]
    assert "After epoch 1: 2 pruned, 2 weakened, 1 strengthened" in shown.html
    assert len(set(fills_of(shown))) == 4 and repr(shown) == "<a run>"
    assert film.shades([0.0, 0.3, 1.0], top=0.9).tolist() == [0, 3, 8], "no factor above 1 is no error"


def test_the_factors_of_a_training_are_noted_after_each_epoch():
    network = MLP(generator=seeds.generator(0, "network"))
    model = Switched.around(network, SwitcherConfig(channels=(2, 4)), seeds.generator(0, "switcher"))
    pixels, labels = (255 * torch.rand(8, 1, 28, 28)).to(torch.uint8), torch.arange(8)
    images = data.Dataset("tiny", pixels, labels, pixels, labels, tuple("0123456789"))
    watch = film.Watch(model)
    train_alternating(model, images, TrainConfig(epochs=2, batch_size=4), seed=0, on_epoch=watch)
    assert list(watch.factors) == ["start", "epoch 0", "epoch 1"]
    now = [gate.detach().numpy() for gate in model.gates()]
    assert all(np.allclose(noted, gate) for noted, gate in zip(watch.factors["epoch 1"], now))
    assert not np.allclose(watch.factors["start"][0], watch.factors["epoch 1"][0])


def test_another_film_has_another_digest_and_another_plane_too():
    other = {**RECORD, "off": {**RECORD["off"], "bits": flow.pack(["00", "00", "00"])}}
    assert digest(film.film(RECORD)) == digest(film.film({**RECORD, "title": "B"})) != digest(film.film(other))
    assert digest(interactive.search_plane(TRIALS, STUDY)) != digest(interactive.search_plane(TRIALS[:3], STUDY))


def test_a_run_that_noted_no_neurons_makes_no_film():
    with pytest.raises(ValueError, match="did not note"):
        film.film({"arm": "dense", "seed": 0})


@pytest.mark.parametrize("neurons, wide", [(784, 28), (300, 30), (100, 18), (1, 2)])
def test_a_layer_keeps_the_shape_of_its_image(neurons, wide):
    assert film.side(neurons) == wide
