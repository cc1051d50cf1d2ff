"""Steps as CUDA graphs, as far as it can be told without CUDA: a stand-in graph repeats the captured step when
replayed."""

import contextlib
from unittest import mock

import pytest
import torch
from test_together import data_set, weights

from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.fast import graphs
from snnlib.networks import MLP
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.training import loops as training
from snnlib.training import optimizers


@pytest.fixture
def stand_in(monkeypatch):
    """Every step of every ``Graphed`` goes through capture and replay; returns how many replays there were."""
    replays = []

    class Graph:
        def __init__(self):
            self.graphed = None

        def replay(self):
            replays.append(self)
            loss, _gates = self.graphed._step(self.graphed._x, self.graphed._y)
            self.graphed._loss.copy_(loss)  # a graph writes where the captured step wrote

    class OnCpu(graphs.Graphed):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self._off = False

        def _capture(self, x, y):
            super()._capture(x, y)
            if self._graph is not None:
                self._graph.graphed = self

    for name in ("Stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, mock.MagicMock())
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: contextlib.nullcontext())
    monkeypatch.setattr(graphs, "Graphed", OnCpu)
    return replays


def model(seed=0):
    network = MLP((784, 20, 10), generator=generator(seed, "network")).double()
    return Switched.around(network, SwitcherConfig(channels=(2, 4)), generator(seed, "switcher"))


@pytest.mark.parametrize(
    "config",
    [TrainConfig(epochs=4), TrainConfig(epochs=3, momentum=0.9, weight_decay=0.01, alternate="step")],
    ids=["plain", "momentum"],
)
def test_the_warm_up_leaves_no_trace_and_odd_batches_are_trained_too(stand_in, monkeypatch, config):
    """150 images: two whole batches, and a smaller one that the graph cannot take."""
    data, graphed = data_set(150), model()
    state = training.train_alternating(graphed, data, config, 0)
    assert len(stand_in) == 2 * config.epochs
    monkeypatch.undo()
    eager = model()
    expected = training.train_alternating(eager, data, config, 0)
    assert torch.equal(weights(graphed), weights(eager))
    assert [row["loss"] for row in state.history] == [row["loss"] for row in expected.history]


def test_a_resumed_momentum_is_kept(stand_in, monkeypatch):
    data, config = data_set(128), TrainConfig(epochs=4, momentum=0.9)
    kept, whole = {}, model()

    def keep(state):
        if state.epoch == 2:
            kept["weights"] = {name: value.clone() for name, value in whole.state_dict().items()}
            kept["state"] = training.State(
                2, list(state.history), {key: value.clone() for key, value in state.velocity.items()}
            )

    training.train_alternating(whole, data, config, 0, on_epoch=keep)
    resumed = model()
    resumed.load_state_dict(kept["weights"])
    training.train_alternating(resumed, data, config, 0, kept["state"])
    assert torch.equal(weights(resumed), weights(whole))


def test_what_cannot_be_captured_runs_without_a_graph(stand_in, monkeypatch):
    def fail(graph):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "graph", fail)
    graphed, eager, data = model(), model(), data_set(128)
    with pytest.warns(UserWarning, match="could not be captured as a CUDA graph .*not permitted"):
        training.train_alternating(graphed, data, TrainConfig(epochs=2), 0)
    monkeypatch.undo()
    training.train_alternating(eager, data, TrainConfig(epochs=2), 0)
    assert torch.equal(weights(graphed), weights(eager)) and not stand_in


def test_on_the_cpu_there_is_no_graph():
    calls = []
    network = torch.nn.Linear(2, 2)
    graphed = graphs.Graphed(
        lambda x, y: calls.append(len(x)), network.parameters(), torch.optim.SGD(network.parameters(), 0.1)
    )
    graphed(torch.zeros(3, 2), torch.zeros(3))
    assert calls == [3]


def test_the_rate_may_be_a_tensor_that_a_graph_reads():
    parameter = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    sgd = torch.optim.SGD([parameter], lr=torch.tensor(0.1), fused=True)
    rate = sgd.param_groups[0]["lr"]
    for value in (0.5, 0.25):
        optimizers.set_rate(sgd, value)
        parameter.grad = torch.ones(2)
        sgd.step()
    assert sgd.param_groups[0]["lr"] is rate and torch.equal(parameter.detach(), torch.tensor([0.25, 1.25]))
