"""Trained kernels beside their factors: only runs whose weights are kept, and never an error without them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from snnlib import seeds
from snnlib.networks import lenet5_caffe
from snnlib.report import kernels
from snnlib.report.results import Results


@pytest.fixture
def trained():
    network = lenet5_caffe(generator=seeds.generator(0, "network"))
    return {4: kernels.Kernels(network, np.array([0.0] * 5 + [0.5] * 5 + [2.0] * 10), network)}


def test_kernels_are_compared_by_class(trained):
    images = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    found = kernels.alike(trained, images)
    assert found["kernels"].tolist() == ["20", "5", "5", "10"]
    assert all(0 < float(value) <= 1 for value in found["mean correlation"])
    trained[4].factors[:] = 1.0
    assert kernels.alike(trained, images).loc["seed 4: pruned", "mean correlation"] == ""


def test_without_weights_or_runs_a_page_says_so(tmp_path):
    results = Results("1", "paper", tmp_path)
    assert kernels.of_runs(results, "snn-al-epoch", "lenet5-caffe") == {}
    assert "weights" in kernels.alike({}, torch.zeros(1, 1, 28, 28)).iloc[0, 0]
    assert kernels.pruned(results, "snn-al-epoch", "lenet5-caffe").iloc[0, 0] == "No finished runs yet."
    assert kernels.grid({}, None).axes[0].texts
    plt.close("all")
