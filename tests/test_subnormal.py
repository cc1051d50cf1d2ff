"""Numbers too small for a processor's fast arithmetic: taken for 0 while a network is trained, and only then."""

import pytest
from test_training import DATA, LOOPS, config_of

from snnlib.training.subnormal import flushed, flushing


def test_a_subnormal_number_is_zero_within_and_itself_afterwards():
    before = flushed()
    with flushing():
        assert flushed()
        with flushing():
            pass
        assert flushed(), "the inner one leaves what the outer one asked for"
    assert flushed() == before
    with pytest.raises(KeyError), flushing():
        raise KeyError("left all the same")
    assert flushed() == before


@LOOPS
def test_every_loop_of_training_computes_without_them(train, make):
    seen = []
    train(make(), DATA, config_of(), 0, on_epoch=lambda state: seen.append(flushed()))
    assert seen == [True, True]
    assert not flushed()
