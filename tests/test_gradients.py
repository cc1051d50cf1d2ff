"""Eqs. 5, 6 and 7 against autograd, through the library's own network, packing and gating.

One input x, K outputs, one layer; the switcher is linear, s = sum over k of w^S_k w^T_k. Float64, to 1e-10.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from snnlib.networks import MLP
from snnlib.switching.switched import Switched

LOSSES = {
    "softmax and cross-entropy": (lambda z: torch.softmax(z, -1), lambda z, y: F.cross_entropy(z, y)),
    "half the squared error": (lambda z: z, lambda z, y: 0.5 * (z - y).square().sum()),
}
NUMBERS = st.floats(-3, 3).map(lambda value: round(value, 6))


class LinearSwitcher(nn.Module):
    """s = w^S · w^T for the one row of the packed weights, with the paper's ReLU or without it."""

    def __init__(self, weight, relu):
        super().__init__()
        self.weight, self.relu = nn.Parameter(weight), relu

    def forward(self, packed):
        s = packed.tensor[0] @ self.weight  # (rows,)
        return (torch.relu(s) if self.relu else s)[None]  # (layers, rows)


def switched_of(wT, wS, relu=False, through=True):
    network = MLP((1, len(wT))).double()
    with torch.no_grad():
        network.layers[0].weight.copy_(wT[:, None])
    return Switched(network, LinearSwitcher(wS, relu), through)


def equation_5(x, wT, error):
    """(K,): the gradient of the switcher's weights."""
    return wT * sum(error[i] * x * wT[i] for i in range(len(wT)))


def equation_6(x, wT, wS, error, s):
    """(K,) twice: the first and the second term of the gradient of the task network's weights."""
    return error * x * s, wS * sum(error[i] * x * wT[i] for i in range(len(wT)))


def equation_7(x, error):
    """(K,): the gradient of the task network's weights without a switcher."""
    return error * x


@st.composite
def settings_of_the_analysis(draw):
    k = draw(st.integers(2, 6))
    vector = st.lists(NUMBERS, min_size=k, max_size=k).map(lambda values: torch.tensor(values, dtype=torch.float64))
    wT, wS, target = draw(vector), draw(vector), F.one_hot(torch.tensor(draw(st.integers(0, k - 1))), k).double()
    return torch.tensor(draw(NUMBERS), dtype=torch.float64), wT, wS, target


def close(a, b):
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("relu", [False, True])
@settings(deadline=None, max_examples=40)
@given(case=settings_of_the_analysis())
def test_equations_5_and_6(name, relu, case):
    (x, wT, wS, y), (link, loss) = case, LOSSES[name]
    model = switched_of(wT, wS, relu)
    logits = model(x[None, None])[0]
    loss(logits, y).backward()
    s, gate = wS @ wT, model.gates()[0].detach()[0]
    close(gate, s.clamp(min=0) if relu else s)
    on = float(gate > 0) if relu else 1.0  # with the ReLU every term that depends on s carries 1[s > 0]
    error = link(logits.detach()) - y
    first, second = equation_6(x, wT, wS, error, s)
    close(model.switcher.weight.grad, on * equation_5(x, wT, error))
    close(model.network.layers[0].weight.grad[:, 0], on * (first + second))


@pytest.mark.parametrize("name", LOSSES)
@settings(deadline=None, max_examples=25)
@given(case=settings_of_the_analysis())
def test_cutting_the_switcher_off_leaves_exactly_the_first_term(name, case):
    (x, wT, wS, y), (link, loss) = case, LOSSES[name]
    model = switched_of(wT, wS, through=False)
    logits = model(x[None, None])[0]
    loss(logits, y).backward()
    error = link(logits.detach()) - y
    first, _ = equation_6(x, wT, wS, error, wS @ wT)
    close(model.network.layers[0].weight.grad[:, 0], first)
    close(model.switcher.weight.grad, equation_5(x, wT, error))  # the switcher's own gradient stays whole


@pytest.mark.parametrize("name", LOSSES)
@settings(deadline=None, max_examples=25)
@given(case=settings_of_the_analysis())
def test_equation_7(name, case):
    (x, wT, wS, y), (link, loss) = case, LOSSES[name]
    network = switched_of(wT, wS).network
    logits = network(x[None, None])[0]
    loss(logits, y).backward()
    close(network.layers[0].weight.grad[:, 0], equation_7(x, link(logits.detach()) - y))


def test_the_sum_as_printed_has_one_term_too_many():
    """K outputs have K errors: a sum from 0 to K asks for one that is not there, and from 1 to K-1 it is wrong."""
    x, wT, wS = (
        torch.tensor(1.5).double(),
        torch.tensor([0.4, -1.0, 2.0]).double(),
        torch.tensor([1.0, 0.5, 0.3]).double(),
    )
    model = switched_of(wT, wS)
    logits = model(x[None, None])[0]
    F.cross_entropy(logits, F.one_hot(torch.tensor(2), 3).double()).backward()
    error = torch.softmax(logits.detach(), -1) - torch.tensor([0.0, 0.0, 1.0])

    def gradient(first, last):
        return wT * sum(error[i] * x * wT[i] for i in range(first, last + 1))

    K = len(wT)
    close(model.switcher.weight.grad, gradient(0, K - 1))
    with pytest.raises(IndexError, match="out of bounds for dimension 0 with size 3"):
        gradient(0, K)
    assert (gradient(1, K - 1) - model.switcher.weight.grad).abs().max() > 1e-3
