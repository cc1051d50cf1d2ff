"""Algorithm 1 and its relatives: switcher and task network trained by turns, one after the other, or one alone."""

from .checks import DeadLayerError, DivergenceError, NoTurnError, TrainingError
from .fit import UntrainedWarning
from .judging import accuracy, gate_counts
from .loops import State, train_alternating, train_dense, train_separate
from .optimizers import optimizer
from .steps import dense_step, network_step, switcher_step

__all__ = [
    "DeadLayerError",
    "DivergenceError",
    "NoTurnError",
    "State",
    "TrainingError",
    "UntrainedWarning",
    "accuracy",
    "dense_step",
    "gate_counts",
    "network_step",
    "optimizer",
    "switcher_step",
    "train_alternating",
    "train_dense",
    "train_separate",
]
