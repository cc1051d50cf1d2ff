"""N2N learning (Ashok et al., ICLR 2018): a policy shrinks a trained teacher, each proposal is distilled and rewarded.

Two recurrent policies act one after the other: one keeps or removes each hidden layer, the other multiplies each
layer's width by a factor. The student is trained for a short while to the teacher's logits and judged; the reward is
C (2 - C) times the student's accuracy over the teacher's, with C the share of weights removed (their Eqs. 3 to 5), or
-1 beyond a bound of size or accuracy (their section 3.4). Policies learn by REINFORCE with the mean of past rewards as
baseline. The best student of the search is then trained anew, for the rest of the run.

Here a proposal is judged on images of the same epoch that it was not trained on, and all of it, teacher, search and
last training, has the passes over the images that every other method has. So a proposal is trained for 60 or 150 steps
where theirs gets five epochs, and the policies take some sixteen steps each: what it finds is found with that budget.
The shrinking policy does not see which factor was drawn for the layer before, as theirs does.

The layers of a ResNet are its blocks: one that is removed leaves its shortcut, and what shrinks are the kernels between
a block's two convolutions, for the others are tied to one another.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..config import Side
from ..networks import DeepNet, Network
from ..networks.initial import as_torch, blank, start_linear
from ..networks.initial import draw as draw_convolutions
from ..networks.residual import Residual
from ..training.steps import arithmetic, descend
from .base import Left, Peer, check_share
from .base import Options as AnyOptions
from .students import student_of

FACTORS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""What the shrinking policy multiplies a width by; their lookup table, with smaller factors besides."""

FEATURES = 4
"""Numbers by which the policies know a layer: where it is, its width, whether it is a convolution, the bias."""


REFUSED = -1.0
"""The reward of a student beyond a bound."""

STAGES = ("teacher", "removal", "shrinking", "student")


@dataclass(frozen=True)
class Options(AnyOptions):
    """``most`` is the largest share of the weights that a student may keep, ``least`` the smallest share of the
    teacher's accuracy that it may have; beyond either its reward is -1. Where all are, the student is as large as the
    teacher."""

    most: float = 1.0
    least: float = 0.0
    teacher: float = 0.25  # share of the run that trains the teacher
    search: float = 0.4  # share of the run that searches; the rest trains the student
    rollout: int = 150  # steps that a proposal is trained for
    judged: int = 32  # batches that it is then judged on
    rollouts: int = 5  # proposals for each step of a policy
    hidden: int = 30
    rate_removal: float = 0.003
    rate_shrinking: float = 0.03  # theirs is 0.1, for 100 steps
    distilled: float = 1.0  # weight of the distance to the teacher's logits beside the cross-entropy

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("most", "teacher", "search"):
            check_share(name, getattr(self, name))
        if not 0 <= self.least <= 1:
            raise ValueError(f"least={self.least}: a share from 0 to 1")
        if self.teacher + self.search >= 1:
            raise ValueError(f"teacher={self.teacher}, search={self.search}: leave a share of the run to the student")
        if min(self.rollout, self.judged, self.rollouts, self.hidden) < 1:
            raise ValueError("rollout, judged, rollouts and hidden must be 1 or more")
        if min(self.rate_removal, self.rate_shrinking) <= 0 or self.distilled < 0:
            raise ValueError("rates must be positive, distilled 0 or more")


class Policy(nn.Module):
    """A recurrent network that reads the layers in order and puts out log-probabilities of actions for each."""

    def __init__(self, actions: int, hidden: int, draw: torch.Generator, both_ways: bool) -> None:
        super().__init__()
        self.recurrent = blank(nn.LSTM, FEATURES, hidden, 2, batch_first=True, bidirectional=both_ways)
        self.last = blank(nn.Linear, hidden * (2 if both_ways else 1), actions)
        with torch.no_grad():
            for values in self.recurrent.parameters():
                values.uniform_(-(hidden**-0.5), hidden**-0.5, generator=draw)
            as_torch(self.last, draw)

    def forward(self, layers: Tensor) -> Tensor:
        """Log-probabilities (layers, actions) for ``layers`` (layers, features)."""
        return self.last(self.recurrent(layers[None])[0][0]).log_softmax(1)


class N2N(Peer):
    """Teacher, policies and student of one run."""

    Options = Options
    options: Options

    def add(self, network: Network, draw: torch.Generator) -> None:
        """The student, the policies, and where the search stands."""
        like = next(network.parameters())
        self.student = student_of(network)
        self.full = self.student.full
        self.removal = Policy(2, self.options.hidden, draw, both_ways=True)
        self.shrinking = Policy(len(FACTORS), self.options.hidden, draw, both_ways=False)
        self.to(like)
        self._redraw(draw)
        layers = len(self.full)
        numbers = {
            "kept": torch.tensor(self.full),  # the present proposal
            "actions": torch.zeros(layers, dtype=torch.int64),
            "best": torch.tensor(self.full),
            "best_reward": torch.tensor(REFUSED, dtype=torch.float64),  # a refused student is never the best
            "tried": torch.zeros(
                self.options.rollouts, layers, dtype=torch.int64
            ),  # actions that wait for a policy's step
            "rewards": torch.zeros(self.options.rollouts, dtype=torch.float64),
            "done": torch.zeros(3, dtype=torch.int64),  # proposals of a step, steps of a policy, steps of a rollout
            "right": torch.zeros(2, dtype=torch.int64),  # images judged right: the student's, the teacher's
            "stage": torch.zeros((), dtype=torch.int64),  # which of STAGES
            "past": torch.zeros((), dtype=torch.float64),  # sum of the mean rewards of past steps
        }
        for name, value in numbers.items():
            self.register_buffer(f"state_{name}", value)

    def _get(self, name: str) -> Tensor:
        return self.get_buffer(f"state_{name}")

    # ---------------------------------------------------------------- stages

    @property
    def _stage(self) -> str:
        return STAGES[int(self._get("stage"))]

    def _ends(self) -> tuple[int, int, int]:
        """Epochs after which the teacher, the removal of layers, and the search end."""
        epochs, options = self.config.epochs, self.options
        teacher = max(round(options.teacher * epochs), 1)
        search = max(round((options.teacher + options.search) * epochs), teacher + 1)
        between = (teacher + search) // 2 if self.student.REMOVES else teacher
        return teacher, between, search

    def begin(self, epoch: int) -> bool:
        """Go on to the next stage where the one before ends."""
        teacher, between, search = self._ends()
        if search >= self.config.epochs:
            raise ValueError(f"epochs={self.config.epochs}: too few for a teacher, a search and a student, at least 3")
        self._get("stage").fill_(sum(epoch >= end for end in (teacher, between, search)))
        if epoch in (between, search):
            self._get("kept").copy_(self._get("best"))
        if epoch in (teacher, between):
            self._get("done").zero_()
            self._get("past").zero_()
            self._propose()
        if epoch == search:
            self._redraw(self.noise)
        return epoch in (teacher, between, search)

    def progress(self, share: float) -> float:
        """Teacher and student have a schedule each; the search keeps the first rate."""
        (teacher, _, search), epochs = self._ends(), self.config.epochs
        done = share * epochs
        if done < teacher:
            return done / teacher
        return max((done - search) / (epochs - search), 0.0)

    def optimizers(self) -> dict[Side, torch.optim.Optimizer]:
        """The networks', and Adam for the policies."""
        adam = torch.optim.Adam(
            [
                {"params": list(self.removal.parameters()), "lr": self.options.rate_removal},
                {"params": list(self.shrinking.parameters()), "lr": self.options.rate_shrinking},
            ]
        )
        return {**super().optimizers(), "switcher": adam}

    def groups(self) -> list[dict[str, object]]:
        """Teacher and student."""
        return [{"params": [*self.network.parameters(), *self.student.parameters()]}]

    # ---------------------------------------------------------------- steps

    def step(self, optimizers: Mapping[Side, torch.optim.Optimizer], x: Tensor, y: Tensor) -> Tensor:
        """A step of the teacher, of a proposal or of the last student; or a batch on which a proposal is judged."""
        if self._stage == "teacher":
            loss = F.cross_entropy(self._logits(self.network, x), y)
            descend(self.network, optimizers["network"], loss, self.config.clip_network)
            return loss.detach()
        with torch.no_grad():
            taught = self._logits(self.network.eval(), x)
        kept = self._get("kept").tolist()
        if self._stage == "student" or self._get("done")[2] < self.options.rollout:
            logits = self._logits(self.student.train(), x, kept)
            loss = F.cross_entropy(logits, y) + self.options.distilled * F.mse_loss(logits, taught)
            if self._stage != "student" and not bool(loss.isfinite()):  # a proposal that diverges has no accuracy
                self._rewarded(optimizers)
                return F.cross_entropy(taught, y)
            descend(self.student, optimizers["network"], loss, self.config.clip_network)
        else:
            with torch.no_grad():
                logits = self._logits(self.student.eval(), x, kept)
                loss = F.cross_entropy(logits, y)
                self._get("right").add_(torch.stack([(each.argmax(1) == y).sum() for each in (logits, taught)]))
        if self._stage != "student":
            self._get("done")[2] += 1
            if self._get("done")[2] == self.options.rollout + self.options.judged:
                self._rewarded(optimizers)
        return loss.detach()

    def _logits(self, network: nn.Module, x: Tensor, *kept: Sequence[int]) -> Tensor:
        """Logits in the dtype of ``x``, the products in the run's precision."""
        with arithmetic(x.device, self.config.precision):
            return network(x, *kept).to(x.dtype)

    def removed(self, kept: Sequence[int]) -> float:
        """C: the share of the teacher's weights that a student with ``kept`` neurons lacks."""
        return 1 - self.student.weights(kept) / self.student.weights(self.full)

    def reward(self, kept: Sequence[int], ratio: float) -> float:
        """C (2 - C) times ``ratio``, the accuracy over the teacher's; -1 for a student beyond a bound."""
        removed = self.removed(kept)
        refused = 1 - removed > self.options.most or ratio < self.options.least
        return REFUSED if refused else removed * (2 - removed) * ratio

    def _rewarded(self, optimizers: Mapping[Side, torch.optim.Optimizer]) -> None:
        """Reward the present proposal; after as many as a step of the policy needs, take it; propose the next."""
        kept, right, done = self._get("kept"), self._get("right"), self._get("done")
        reward = self.reward(kept.tolist(), float(right[0]) / max(float(right[1]), 1.0))
        if reward > self._get("best_reward"):
            self._get("best_reward").fill_(reward)
            self._get("best").copy_(kept)
        waiting = int(done[0])
        self._get("tried")[waiting] = self._get("actions")
        self._get("rewards")[waiting] = reward
        done[0] += 1
        if int(done[0]) == self.options.rollouts:
            self._learn(optimizers["switcher"])
        self._propose()
        optimizers["network"].state.clear()

    def _redraw(self, draw: torch.Generator) -> None:
        """Give the student new weights, as the run starts its networks, drawn on the CPU whatever the device is."""
        drawn, config = copy.deepcopy(self.student).cpu(), self.config
        draw_convolutions(drawn, draw)
        start_linear(drawn, config.fc_init, draw, config.fc_std)
        self.student.load_state_dict(drawn.state_dict())

    def _policy(self) -> Policy:
        return self.removal if self._stage == "removal" else self.shrinking

    def _learn(self, optimizer: torch.optim.Optimizer) -> None:
        """A step of REINFORCE: the proposals' log-probabilities times their rewards less the baseline."""
        done, rewards, tried = self._get("done"), self._get("rewards"), self._get("tried")
        baseline = float(self._get("past")) / max(int(done[1]), 1)
        scores = self._policy()(self._layers())
        chances = torch.stack([scores.gather(1, actions[:, None]).sum() for actions in tried])
        loss = -((rewards.to(chances) - (baseline if done[1] else float(rewards.mean()))) * chances).mean()
        descend(self._policy(), optimizer, loss, None)
        self._get("past").add_(rewards.mean())
        done[1] += 1
        done[0] = 0

    @torch.no_grad()
    def _propose(self) -> None:
        """Draw the next proposal from the policy, and a new student."""
        chances = self._policy()(self._layers()).exp().cpu()
        actions = torch.multinomial(chances, 1, generator=self.noise).flatten()
        if self._stage == "removal":
            kept = [width * int(action) for width, action in zip(self.full, actions)]
        else:
            found = self._layers_kept().tolist()
            kept = [max(round(width * FACTORS[int(action)]), 1) * bool(width) for width, action in zip(found, actions)]
        self._get("actions").copy_(actions)
        self._get("kept").copy_(torch.tensor(kept))
        self._get("right").zero_()
        self._get("done")[2] = 0
        self._redraw(self.noise)

    def _layers_kept(self) -> Tensor:
        """Widths of the layers that the removal of layers has left."""
        present = self._get("best") > 0
        return torch.where(present, torch.tensor(self.full, device=present.device), 0)

    def _layers(self) -> Tensor:
        """What the policies read (layers, features)."""
        like, count = next(self.removal.parameters()), len(self.full)
        kernels, widest = self.student.convolutions, max(self.full)
        rows = [[index / count, width / widest, float(index < kernels), 1.0] for index, width in enumerate(self.full)]
        return torch.tensor(rows).to(like)

    # ---------------------------------------------------------------- what is left

    def gates(self) -> list[Tensor]:
        """Ones: the student is a network of its own."""
        final = self.final()
        return [next(final.parameters()).new_ones(width) for width in final.gate_widths()]

    def final(self) -> Network:
        """The student, a smaller network of the teacher's class; the teacher until there is one."""
        return self.network if self._stage == "teacher" else self.student.small(self._get("kept").tolist())

    def left(self, images: Tensor) -> Left:
        """What is left of the student; of a ResNet also the kernels within each block."""
        found, final = super().left(images), self.final()
        if isinstance(final, DeepNet) and isinstance(final.features, Residual):
            found.also["inner_widths"] = list(final.features.inner())
        return found

    def forward(self, x: Tensor, gates: Sequence[Tensor] | None = None) -> Tensor:
        """Logits of the student, of the teacher until there is one."""
        return self.network(x) if self._stage == "teacher" else self.student(x, self._get("kept").tolist())
