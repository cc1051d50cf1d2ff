"""Figures with controls: their marks are the trials, their frames the record, and nothing is fetched."""

import re

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from test_search_figures import STUDY, TRIALS

from snnlib.report import film, interactive
from snnlib.training import flow

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


def test_frames_are_the_looks_of_the_record_and_the_last_is_the_still():
    html = film.film(RECORD).html
    frames = re.search(r'FRAMES = \["([^\]]*)"\]', html)[1].split('","')
    bits = [[int(bit) for bit in np.unpackbits(np.frombuffer(bytes.fromhex(frame), np.uint8))[:5]] for frame in frames]
    assert bits == [[bit for layer in look for bit in layer] for look in LOOKS.values()]
    fills = [rect["fill"] for rect in BeautifulSoup(html, "html.parser").select("rect[data-n]")]
    assert [fill == film.COLOURS["off"] for fill in fills] == [False, True, False, False, True]
    assert "After epoch 1: 2-1 are on" in html and "Before the first step: 2-2 are on" in html


def test_a_run_that_noted_no_neurons_makes_no_film():
    with pytest.raises(ValueError, match="did not note"):
        film.film({"arm": "dense", "seed": 0})


@pytest.mark.parametrize("neurons, wide", [(784, 28), (300, 30), (100, 18), (1, 2)])
def test_a_layer_keeps_the_shape_of_its_image(neurons, wide):
    assert film.side(neurons) == wide
