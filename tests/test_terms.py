"""The share of the second term over the steps."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from snnlib.report import terms


def test_every_layer_has_its_line_in_percent():
    figure = terms.share_over_steps([[0.25, 0.5], [0.75, 1.0]], (784, 300, 10))
    first, second = figure.axes[0].lines
    assert first.get_label() == "layer 1: 784 to 300" and second.get_label() == "layer 2: 300 to 10"
    np.testing.assert_allclose(first.get_ydata(), [25, 75])
    np.testing.assert_allclose(second.get_xdata(), [1, 2])
    plt.close(figure)


def test_shares_of_another_network_are_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 2\): give \(steps, 3\)"):
        terms.share_over_steps([[0.5, 0.5]], (4, 3, 2, 1))
