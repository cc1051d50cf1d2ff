"""Which neurons are off, as text and back: any widths, any number of epochs."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snnlib.training import flow

LAYERS = st.lists(st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=1, max_size=20), min_size=1, max_size=4)


@given(LAYERS)
def test_what_is_written_is_read_back(layers):
    off = flow.decode(flow.encode([torch.tensor(layer) for layer in layers]), [len(layer) for layer in layers])
    assert [layer.tolist() for layer in off] == [[value == 0 for value in layer] for layer in layers]


@given(
    st.integers(1, 30).flatmap(
        lambda size: st.lists(st.binary(min_size=size, max_size=size).map(bytes.hex), min_size=1, max_size=6)
    )
)
def test_many_become_one_text_and_many_again(texts):
    assert flow.unpack(flow.pack(texts), len(texts)) == texts


def test_epochs_that_change_little_take_little_room():
    draw = torch.Generator().manual_seed(0)
    start = torch.rand(1184, generator=draw)
    texts = [flow.encode([(start + 0.001 * epoch - 0.5).clamp_min(0)]) for epoch in range(40)]
    assert len(flow.pack(texts)) < 10 * len(texts[0])


@pytest.mark.parametrize("widths", [(16,), (4, 4, 1), (), (0,)])
def test_a_text_of_other_neurons_is_refused(widths):
    text = flow.encode([torch.ones(8)])
    with pytest.raises(ValueError, match="bits cannot be"):
        flow.decode(text, widths)


def test_what_became_of_each_neuron():
    """Seven neurons of one layer, a start, a first turn and three epochs; by hand."""
    rows = {
        "start": [1, 1, 0, 0, 0, 1, 0],
        "first turn": [1, 0, 1, 0, 0, 1, 0],
        "epoch 0": [1, 0, 1, 0, 0, 1, 0],
        "epoch 1": [1, 0, 1, 1, 0, 0, 0],
        "epoch 2": [1, 1, 1, 1, 0, 0, 0],
    }
    found = flow.fates({time: [np.array(row, bool)] for time, row in rows.items()})
    assert {name: counts[:, 0].tolist() for name, counts in found.items()} == {
        "off from the start": [3, 2, 1, 1],
        "in the first turn": [0, 1, 1, 1],
        "later": [0, 0, 1, 2],
        "revived": [0, 1, 2, 1],
        "never off": [4, 3, 2, 2],
    }


@given(
    st.lists(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=2, max_size=2), min_size=2, max_size=6)
)
def test_every_neuron_has_one_fate_at_every_look(looks):
    times = ["start", "first turn", *(f"epoch {epoch}" for epoch in range(len(looks) - 2))]
    off = {time: [np.array(layer) for layer in look] for time, look in zip(times, looks)}
    found = flow.fates(off)
    total = sum(found.values())
    assert (total == 5).all() and total.shape == (len(looks) - 1, 2)
    ends = [off["start"], *(off[time] for time in times[2:])]
    now_off = sum(found[name] for name in ("off from the start", "in the first turn", "later"))
    assert now_off.tolist() == [[int(layer.sum()) for layer in look] for look in ends]


def test_a_run_that_noted_nothing_is_named():
    with pytest.raises(ValueError, match="the run of 'dense', seed 3, did not note which neurons were off"):
        flow.of_record({"arm": "dense", "seed": 3, "off": None})
    text = flow.encode([torch.tensor([0.0, 1.0]), torch.tensor([0.0])])
    record = {"off": {"times": ["start"], "widths": [2, 1], "bits": flow.pack([text])}}
    assert [layer.tolist() for layer in flow.of_record(record)["start"]] == [[True, False], [True]]


def run_of(start, turn, end, seed=0):
    """A record of one layer and one epoch, by hand."""
    texts = [flow.encode([1 - torch.tensor(look)]) for look in (start, turn, end)]
    return {
        "arm": "a",
        "seed": seed,
        "off": {"times": ["start", "first turn", "epoch 0"], "widths": [len(end)], "bits": flow.pack(texts)},
    }


def test_the_widths_at_the_end_are_foreseen_from_the_first_turn():
    """Of the neurons that were off three in four stay off, of those that were on one in four falls; the next run starts
    with more off."""
    learnt = flow.persistence(
        [
            run_of([0.0] * 8, [1.0] * 4 + [0.0] * 4, [1.0, 1, 1, 0, 1, 0, 0, 0]),
            run_of([0.0] * 8, [1.0] * 4 + [0.0] * 4, [1.0, 1, 0, 1, 0, 0, 0, 1]),
        ]
    )
    assert (learnt.stay.tolist(), learnt.fall.tolist(), learnt.widths.tolist()) == ([0.75], [0.25], [4.0])
    other = run_of([0.0] * 8, [1.0] * 8, [0.0] * 8, seed=1)
    assert learnt.foresee(other).tolist() == [2.0] and flow.final_widths(other).tolist() == [8]
    assert learnt.foresee(other, "start").tolist() == [6.0]
    assert flow.persistence([other]).fall.tolist() == [0.0], "none was on after the first turn: the whole layer says it"
    with pytest.raises(ValueError, match="no runs to learn from"):
        flow.persistence([])
