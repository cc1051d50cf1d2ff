"""Which settings matter, of those that a search has tried."""

from __future__ import annotations

import pandas as pd

from ..experiments.study import Study
from ..names import Refused
from .store import quiet
from .trials import rows_of
from .values import distributions, member


def importance(trials: pd.DataFrame, study: Study, objective: str, rung: int = 1) -> dict[str, float]:
    """Share of each setting in the difference of good trials from the others (Optuna's PED-ANOVA), largest first.

    Of the finished trials above the floor. Raises ``Refused`` where there are too few.
    """
    with quiet() as optuna:
        rows = trials[(trials["state"] == "finished") & (trials["rung"] == rung)]
        rows = rows[rows["accuracy"].astype(float) >= study.floor]
        if len(rows) < 20:
            raise Refused(
                f"study {study.name}: {len(rows)} finished trials are too few to say which settings matter; 20 is the "
                "least"
            )
        space, single = distributions(study), optuna.create_study(direction="maximize")
        for row in rows_of(rows):
            params = {name: member(space[name], row[name]) for name in space}
            single.add_trial(optuna.trial.create_trial(value=float(row[objective]), params=params, distributions=space))
        return optuna.importance.get_param_importances(
            single, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
