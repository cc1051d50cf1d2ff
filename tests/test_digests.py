"""Digests of figures: equal for the same drawing, other for another one, deaf to style and to last digits."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from snnlib.report.digests import digest, resembles, sketch


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def drawn(factor=1.0, colour="red", **changes):
    """A figure with a line, bars, dots, an image and a mesh; ``changes`` replaces what one of them draws."""
    values = {"line": [1, 2.5, 98.05], "bar": [3, 4], "dots": [0.5, 0.25], "image": [[0, 1], [2, 3]], **changes}
    values = {name: factor * np.array(each) for name, each in values.items()}
    figure, panels = plt.subplots(1, 4)
    panels[0].plot(values["line"], color=colour)
    panels[1].bar(range(2), values["bar"])
    panels[2].scatter(values["dots"], values["dots"])
    panels[3].imshow(values["image"])
    panels[3].pcolormesh(values["image"])
    return figure


def test_the_same_drawing_has_the_same_digest_whatever_its_style():
    found = digest(drawn())
    assert len(found) == 8 and int(found, 16) >= 0
    assert found == digest(drawn(colour="blue"))
    assert digest(drawn(), 12).startswith(found)


@pytest.mark.parametrize("less", [-1e-12, 1e-12])
def test_rounding_errors_do_not_count_even_in_the_middle_of_two_rounded_values(less):
    assert digest(drawn(1 + less)) == digest(drawn())
    assert digest(drawn(line=[1, 2.5, less])) == digest(drawn(line=[1, 2.5, 0]))


@pytest.mark.parametrize("name", ["line", "bar", "dots", "image"])
def test_every_kind_of_drawing_counts(name):
    changed = {"line": [1, 2.5, 97], "bar": [4, 3], "dots": [0.5, 0.2], "image": [[0, 2], [1, 3]]}
    assert digest(drawn(**{name: changed[name]})) != digest(drawn())


def test_a_colorbar_and_the_order_of_a_polygon_do_not_count():
    (figure, axes), (other, others) = plt.subplots(), plt.subplots()
    image = axes.imshow([[0, 1]])
    others.imshow([[0, 1]])
    figure.colorbar(image, ax=axes)
    figure.colorbar(image, cax=figure.add_axes((0.9, 0.1, 0.02, 0.8)))
    axes.fill_between([0, 1], [0, 0], [1, 2])
    others.fill_between([1, 0], [0, 0], [2, 1])
    assert digest(figure) == digest(other)


def test_what_is_missing_or_masked_is_no_error():
    figure, axes = plt.subplots()
    axes.plot([np.nan, 1])
    axes.imshow(np.ma.masked_array([[1.0, 2.0]], [[True, False]]))
    assert digest(figure) != digest(plt.figure())


def test_a_sketch_is_the_mean_the_spread_and_the_centre_of_what_each_axes_draws():
    figure, panels = plt.subplots(1, 3)
    panels[0].bar(range(3), [0, 3, 3])
    panels[1].plot([0, 1], [5, 5])
    assert sketch(figure) == [2.0, 1.41, 0.75, 5.0, 0.0, 0.5], "an empty axes is left out"


def test_a_figure_resembles_itself_and_one_that_is_a_little_off_and_no_other():
    published = sketch(drawn())
    assert resembles(drawn(), published) == resembles(drawn(1.01), published) == "alike"
    for other in (drawn(1.3), drawn(bar=[4, 0]), drawn(image=[[3, 2], [1, 0]]), plt.figure()):
        with pytest.raises(ValueError, match="draws something else than was published"):
            resembles(other, published)
