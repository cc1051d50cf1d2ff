"""SGD: fused where torch can be trusted with it, and what a run that goes on needs of it."""

import pytest
import torch
from test_training import DATA, config_of, dense
from torch import nn

from snnlib.training import optimizers, steps


@pytest.mark.parametrize("momentum, decay", [(0.0, 0.0), (0.9, 1e-3)])
def test_the_fused_optimizer_steps_as_torch_s_plain_one(momentum, decay):
    one, other = dense(), dense()
    config = config_of(momentum=momentum, weight_decay=decay)
    fused = optimizers.optimizer(one.parameters(), config)
    plain = torch.optim.SGD(other.parameters(), lr=config.rate, momentum=momentum, weight_decay=decay, foreach=False)
    assert [group["fused"] for group in fused.param_groups] == [True]
    x, y = DATA.x_train[:16].double() / 255, DATA.y_train[:16]
    for _ in range(5):
        for network, sgd in ((one, fused), (other, plain)):
            steps.descend(network, sgd, nn.functional.cross_entropy(network(x), y), None)
    for a, b in zip(one.parameters(), other.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_it_is_not_used_where_strides_may_differ():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(3, 2))
    plain, fused = optimizers.optimizer(network.parameters(), config_of(rate=0.5)).param_groups
    assert plain["fused"] is None and [tuple(each.shape) for each in plain["params"]] == [(2, 1, 3, 3)]
    assert fused["fused"] and [tuple(each.shape) for each in fused["params"]] == [(2,), (2, 3), (2,)]
    assert plain["lr"] == fused["lr"] == 0.5
    (turned,) = optimizers.fused_where_right([{"params": [torch.zeros(3, 2).t()], "factor": 2.0}])
    assert turned["fused"] is None and turned["factor"] == 2.0


def test_momentum_is_saved_by_the_order_of_parameters_not_of_groups():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(3, 2))
    given = list(network.parameters())
    sgd = optimizers.sgd_of([{"params": given[:1]}, {"params": given[1:]}], 0.1, 0.9, 0.0)
    assert all(a is b for a, b in zip(optimizers.in_order(sgd), given, strict=True))
    for number, each in enumerate(given):
        each.grad = torch.full_like(each, number)
    sgd.step()
    kept = optimizers.velocity_of({"network": sgd})
    assert {key: float(value.mean()) for key, value in kept.items()} == {f"network.{n}": n for n in range(4)}
    again = optimizers.optimizer(network.parameters(), config_of(momentum=0.9))
    optimizers.restore_velocity("network", again, kept)
    assert all(torch.equal(again.state[each]["momentum_buffer"], each.grad) for each in given)


def test_a_parameter_may_get_its_first_gradient_late():
    one, other = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    sgd = optimizers.optimizer([one, other], config_of(rate=1.0, momentum=0.5))
    optimizers.set_rate(sgd, 1.0)
    for gradient in (None, torch.ones(2)):
        one.grad, other.grad = torch.ones(2), gradient
        sgd.step()
    assert one.tolist() == [-2.5, -2.5] and other.tolist() == [-1.0, -1.0]
