"""Settings that searches have chosen, as ``snn search NAME --show`` prints them: those of the tuned regime's arms.

They are written here, and not read from the trials when they are needed, so that a change of them is visible; a test
compares them with the rule of :data:`~snnlib.lab.experiments.studies.ROLES` and with the committed trials.
"""

from __future__ import annotations

from typing import Any

MLP_DENSE: dict[str, Any] = {
    "rate": 0.2447394502723996,
    "momentum": 0.0,
    "weight_decay": 0.0005,
    "clip_network": None,
    "schedule": "cosine",
    "normalize": True,
    "fc": "torch",
}
"""Trial 662 of ``mlp-dense``."""

MLP_SNN: dict[int, dict[str, Any]] = {
    667: {
        "rate": 0.013395755174726827,
        "momentum": 0.9,
        "weight_decay": 0.0001,
        "clip_network": None,
        "schedule": "cosine",
        "normalize": True,
        "fc": "torch",
        "rate_switcher": 0.006103040352574965,
        "momentum_switcher": 0.0,
        "weight_decay_switcher": 0.0005,
        "clip_switcher": 0.1,
        "turn": "1",
        "ratio": "1:3",
        "switcher_until": 1.0,
        "initial_mean": 0.36918176801526836,
        "initial_spread": 0.31750898212633527,
        "upsample": "resize",
        "kernel_rows": 5,
        "channels": "4-8-16",
    },
    657: {
        "rate": 0.01576442688224168,
        "momentum": 0.9,
        "weight_decay": 0.0001,
        "clip_network": None,
        "schedule": "cosine",
        "normalize": True,
        "fc": "torch",
        "rate_switcher": 0.0033570746881159434,
        "momentum_switcher": 0.0,
        "weight_decay_switcher": 0.0,
        "clip_switcher": 0.1,
        "turn": "1",
        "ratio": "3:1",
        "switcher_until": 0.25,
        "initial_mean": 0.29592259555652844,
        "initial_spread": 0.7374336243929577,
        "upsample": "transposed",
        "kernel_rows": 7,
        "channels": "4-8-16",
    },
    656: {
        "rate": 0.019740822509938877,
        "momentum": 0.9,
        "weight_decay": 0.0001,
        "clip_network": None,
        "schedule": "cosine",
        "normalize": True,
        "fc": "torch",
        "rate_switcher": 0.0038404963777708893,
        "momentum_switcher": 0.0,
        "weight_decay_switcher": 0.0,
        "clip_switcher": 0.1,
        "turn": "10",
        "ratio": "3:1",
        "switcher_until": 0.25,
        "initial_mean": 0.3163212678697544,
        "initial_spread": 0.5941604648351774,
        "upsample": "transposed",
        "kernel_rows": 7,
        "channels": "4-8-16",
    },
    659: {
        "rate": 0.018401155183240682,
        "momentum": 0.9,
        "weight_decay": 0.0001,
        "clip_network": None,
        "schedule": "cosine",
        "normalize": True,
        "fc": "torch",
        "rate_switcher": 0.0032594082983093335,
        "momentum_switcher": 0.0,
        "weight_decay_switcher": 0.0,
        "clip_switcher": 0.1,
        "turn": "10",
        "ratio": "3:1",
        "switcher_until": 0.25,
        "initial_mean": 0.3271950495369881,
        "initial_spread": 0.6419891865445819,
        "upsample": "transposed",
        "kernel_rows": 7,
        "channels": "4-8-16",
    },
}
"""Trials of ``mlp-snn``."""

CHOSEN: dict[str, dict[str, dict[str, Any]]] = {
    "mlp": {
        "dense": MLP_DENSE,
        "accurate": MLP_SNN[667],
        "knee": MLP_SNN[667],
        "sparse": MLP_SNN[657],
        "compact": MLP_SNN[657],
        "unstopped": MLP_SNN[667],
        "front-656": MLP_SNN[656],
        "front-659": MLP_SNN[659],
    },
    "lenet5-caffe": {},
    "vgg-cov2": {
        "dense": {"rate": 0.029451797321498097, "weight_decay": 0.0001, "clip_network": 5.0, "fc": "torch"},
        "accurate": {
            "rate": 0.03824469825543449,
            "weight_decay": 0.0001,
            "clip_network": None,
            "fc": "kaiming",
            "rate_switcher": 0.01936828584268428,
            "momentum_switcher": 0.9,
            "clip_switcher": 1.0,
            "turn": "10",
            "ratio": "1:3",
            "switcher_until": 1.0,
            "initial_mean": 0.08908809967000937,
            "initial_spread": 0.14881219834127468,
            "upsample": "resize",
            "kernel_rows": 3,
        },
    },
    "vgg-cov2-bn": {},
    "mobilenet-v1-x0.25": {
        "dense": {"rate": 0.20719094506668853, "weight_decay": 0.0005, "clip_network": 5.0, "fc": "torch"},
        "accurate": {
            "rate": 0.12163118655631618,
            "weight_decay": 0.0,
            "clip_network": 5.0,
            "fc": "kaiming",
            "rate_switcher": 0.04845627951474649,
            "momentum_switcher": 0.0,
            "clip_switcher": 0.1,
            "turn": "10",
            "ratio": "1:3",
            "switcher_until": 1.0,
            "initial_mean": 0.9580203991202653,
            "initial_spread": 0.19810674775941717,
            "upsample": "transposed",
            "kernel_rows": 5,
        },
    },
}
"""Network to role ("dense", those of ``ROLES``, and "front-TRIAL") to a value for each setting of the study's space.

A role is missing until its settings are chosen."""

CHOSEN_RIVALS: dict[str, dict[str, dict[str, Any]]] = {
    "mlp-l0": {
        "60": {
            "rate": 0.002001241058044032,
            "clip_network": None,
            "fc": "torch",
            "strength": 0.06169842957226484,
            "weight_decay": 1e-05,
            "dropped": 0.2,
            "scale_factor": 10.0,
        },
        "75": {
            "rate": 0.002001241058044032,
            "clip_network": None,
            "fc": "torch",
            "strength": 0.06169842957226484,
            "weight_decay": 1e-05,
            "dropped": 0.2,
            "scale_factor": 10.0,
        },
        "90": {
            "rate": 0.005779937423872083,
            "clip_network": 1.0,
            "fc": "torch",
            "strength": 1.5635866078051457,
            "weight_decay": 0.0001,
            "dropped": 0.2,
            "scale_factor": 10.0,
        },
    },
    "mlp-lottery": {
        "given": {
            "rate": 0.07476263988567078,
            "momentum": 0.9,
            "weight_decay": 0.0005,
            "clip_network": 1.0,
            "fc": "torch",
            "rounds": 3,
        }
    },
    "mlp-dnw": {
        "given": {
            "rate": 0.09298266637459981,
            "momentum": 0.9,
            "weight_decay": 0.0005,
            "clip_network": 1.0,
            "fc": "torch",
        }
    },
    "mlp-nested": {
        "given": {
            "rate": 0.05123746658693367,
            "momentum": 0.9,
            "weight_decay": 0.0005,
            "clip_network": 1.0,
            "fc": "torch",
        }
    },
    "mlp-edge-popup": {
        "given": {"rate": 0.946809943404264, "momentum": 0.0, "weight_decay": 0.0001, "start": "signed", "scaled": True}
    },
}
"""Study of a rival to role to a value for each setting of the study's space; a study is missing until it is over."""

CHOSEN_SMALL: dict[str, dict[str, Any]] = {}
"""What the switcher reads ("weights": SNN-AL itself) to the settings that its small search chose; empty until then."""
