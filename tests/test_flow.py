"""Which neurons are off, as text and back: any widths, any number of epochs."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snnlib import flow

LAYERS = st.lists(st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=1, max_size=20), min_size=1, max_size=4)


@given(LAYERS)
def test_what_is_written_is_read_back(layers):
    off = flow.decode(flow.encode([torch.tensor(layer) for layer in layers]), [len(layer) for layer in layers])
    assert [layer.tolist() for layer in off] == [[value == 0 for value in layer] for layer in layers]


@given(st.integers(1, 30).flatmap(lambda size: st.lists(st.binary(min_size=size, max_size=size).map(bytes.hex), min_size=1, max_size=6)))
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
