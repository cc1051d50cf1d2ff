"""Numbers too small for a processor's fast arithmetic: taken for 0 while a network is trained, and only then."""

import pytest
import torch
from test_training import DATA, LOOPS, config_of, dense
from torch import nn

from snnlib.training import loops
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


@pytest.mark.parametrize("momentum, decay", [(0.0, 0.0), (0.9, 1e-3)])
def test_the_fused_optimizer_steps_as_torch_s_plain_one(momentum, decay):
    one, other = dense(), dense()
    config = config_of(momentum=momentum, weight_decay=decay)
    fused = loops.optimizer(one.parameters(), config)
    plain = torch.optim.SGD(other.parameters(), lr=config.rate, momentum=momentum, weight_decay=decay, foreach=False)
    assert fused.defaults["fused"]
    x, y = DATA.x_train[:16].double() / 255, DATA.y_train[:16]
    for _ in range(5):
        for network, sgd in ((one, fused), (other, plain)):
            loops.descend(network, sgd, nn.functional.cross_entropy(network(x), y), None)
    for a, b in zip(one.parameters(), other.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_it_is_not_used_where_strides_may_differ():
    assert loops.fusible(nn.Linear(3, 2).parameters())
    assert not loops.fusible(nn.Conv2d(1, 2, 3).parameters())
    assert not loops.fusible([torch.zeros(3, 2).t()])
