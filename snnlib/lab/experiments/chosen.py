"""Settings that searches have chosen, as ``snn search NAME --show`` prints them: those of the tuned regime's arms.

They are written here, and not read from the trials when they are needed, so that a change of them is visible; a test
compares them with the rule of :data:`~snnlib.lab.experiments.roles.ROLES` and with the committed trials.
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

LENET5_SNN: dict[int, dict[str, Any]] = {
    110: {
        "rate": 0.02225339682851751,
        "momentum": 0.9,
        "weight_decay": 1e-05,
        "clip_network": 5.0,
        "schedule": "cosine",
        "normalize": False,
        "fc": "kaiming",
        "rate_switcher": 0.004699403270160785,
        "momentum_switcher": 0.0,
        "weight_decay_switcher": 0.0005,
        "clip_switcher": 0.1,
        "turn": "1",
        "ratio": "3:1",
        "switcher_until": 0.25,
        "initial_mean": 0.554628370444815,
        "initial_spread": 0.4804346770080664,
        "upsample": "resize",
        "kernel_rows": 7,
        "channels": "4-8",
    },
    112: {
        "rate": 0.048863953745873254,
        "momentum": 0.9,
        "weight_decay": 1e-05,
        "clip_network": 5.0,
        "schedule": "cosine",
        "normalize": False,
        "fc": "0.1",
        "rate_switcher": 0.008769569919735406,
        "momentum_switcher": 0.0,
        "weight_decay_switcher": 0.0005,
        "clip_switcher": 0.1,
        "turn": "100",
        "ratio": "3:1",
        "switcher_until": 0.5,
        "initial_mean": 0.5553232302753921,
        "initial_spread": 0.6070483804505284,
        "upsample": "resize",
        "kernel_rows": 7,
        "channels": "4-8-16-16",
    },
}
"""Trials of ``lenet5-snn``."""

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
    "lenet5-caffe": {
        "dense": {
            "rate": 0.16401858307106149,
            "momentum": 0.9,
            "weight_decay": 0.0005,
            "clip_network": 1.0,
            "schedule": "cosine",
            "normalize": True,
            "fc": "0.03",
        },
        "accurate": LENET5_SNN[110],
        "knee": LENET5_SNN[110],
        "sparse": LENET5_SNN[112],
    },
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
    "vgg-cov2-bn": {
        "dense": {"rate": 0.032565289798168535, "weight_decay": 0.0005, "clip_network": None, "fc": "torch"},
        "accurate": {
            "rate": 0.031840221846629116,
            "weight_decay": 0.0001,
            "clip_network": None,
            "fc": "torch",
            "rate_switcher": 0.2527202106134462,
            "momentum_switcher": 0.0,
            "clip_switcher": 0.1,
            "turn": "100",
            "ratio": "1:3",
            "switcher_until": 1.0,
            "initial_mean": 0.7781119567108463,
            "initial_spread": 0.1359969367640353,
            "upsample": "resize",
            "kernel_rows": 5,
        },
    },
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
    "vgg16-x0.25": {
        "dense": {"rate": 0.04012882565278287, "weight_decay": 0.0001, "clip_network": 5.0, "fc": "torch"},
        "accurate": {
            "rate": 0.0458802740248308,
            "weight_decay": 0.0,
            "clip_network": 5.0,
            "fc": "kaiming",
            "rate_switcher": 0.11217683171176059,
            "momentum_switcher": 0.0,
            "clip_switcher": 0.1,
            "turn": "100",
            "ratio": "1:3",
            "switcher_until": 1.0,
            "initial_mean": 0.6828756903131836,
            "initial_spread": 0.23512994974239254,
            "upsample": "transposed",
            "kernel_rows": 7,
        },
    },
}
"""Network to role ("dense", those of ``ROLES``, and "front-TRIAL") to a value for each setting of the study's space.

A role is missing until its settings are chosen."""

MLP_L0: dict[int, dict[str, Any]] = {
    46: {
        "rate": 0.002001241058044032,
        "clip_network": None,
        "fc": "torch",
        "strength": 0.06169842957226484,
        "weight_decay": 1e-05,
        "dropped": 0.2,
        "scale_factor": 10.0,
    },
    48: {
        "rate": 0.007310421889087008,
        "clip_network": 1.0,
        "fc": "torch",
        "strength": 0.23557944403465153,
        "weight_decay": 0.0005,
        "dropped": 0.2,
        "scale_factor": 10.0,
    },
}
"""Trials of ``mlp-l0``."""

MLP_ELASTIC: dict[str, Any] = {
    "rate": 0.02467327867353778,
    "momentum": 0.9,
    "weight_decay": 0.0,
    "clip_network": None,
    "fc": "torch",
    "rho": 0.8431760425437992,
    "rate_policy": 0.01,
    "explore": 0.1,
    "alone": 0.25,
}
"""Trial 47 of ``mlp-elastic``."""

MLP_N2N: dict[int, dict[str, Any]] = {
    46: {
        "rate": 0.2536452691006202,
        "momentum": 0.0,
        "weight_decay": 1e-05,
        "clip_network": None,
        "fc": "torch",
        "least": 0.8,
        "rollout": 60,
        "rate_shrinking": 0.01,
        "distilled": 0.1,
    },
    48: {
        "rate": 0.17453175536901222,
        "momentum": 0.0,
        "weight_decay": 0.0,
        "clip_network": None,
        "fc": "torch",
        "least": 0.9,
        "rollout": 60,
        "rate_shrinking": 0.03,
        "distilled": 0.1,
    },
}
"""Trials of ``mlp-n2n`` by number."""

MLP_GHS: dict[str, Any] = {
    "rate": 0.005360575468644201,
    "clip_network": None,
    "fc": "torch",
    "strength": 1.5808198562596134,
    "warm_up": 0.5,
    "scale_factor": 10.0,
    "variance": -6.0,
    "scale": 0.001,
}
"""Trial 47 of ``mlp-bc-ghs``."""

MLP_GNJ: dict[str, Any] = {
    "rate": 0.006569549853416315,
    "clip_network": None,
    "fc": "torch",
    "strength": 3.5139494907559983,
    "warm_up": 0.0,
    "scale_factor": 1.0,
    "variance": -6.0,
}
"""Trial 50 of ``mlp-bc-gnj``."""

LENET5_GNJ: dict[str, Any] = {
    "rate": 0.002919417167921173,
    "clip_network": 1.0,
    "fc": "kaiming",
    "strength": 2.9438529526758606,
    "warm_up": 0.0,
    "scale_factor": 10.0,
    "variance": -9.0,
}
"""Trial 109 of ``lenet5-bc-gnj``."""

LENET5_GHS: dict[str, Any] = {
    "rate": 0.003608480618384621,
    "clip_network": 1.0,
    "fc": "kaiming",
    "strength": 7.066515633871347,
    "warm_up": 0.0,
    "scale_factor": 10.0,
    "variance": -9.0,
    "scale": 1e-05,
}
"""Trial 110 of ``lenet5-bc-ghs``, the best for each share."""

VGG16_ELASTIC: dict[int, dict[str, Any]] = {
    21: {
        "rate": 0.029451797321498097,
        "weight_decay": 0.0001,
        "clip_network": 5.0,
        "fc": "torch",
        "rho": 0.22967575781062935,
        "rate_policy": 0.001,
        "explore": 0.3,
        "alone": 0.25,
    },
    20: {
        "rate": 0.06091332641510925,
        "weight_decay": 0.0001,
        "clip_network": 5.0,
        "fc": "torch",
        "rho": 0.06413976426867425,
        "rate_policy": 0.001,
        "explore": 0.0,
        "alone": 0.5,
    },
}
"""Trials of ``vgg16-x0.25-elastic`` by number."""

CHOSEN_RIVALS: dict[str, dict[str, dict[str, Any]]] = {
    "mlp-l0": {"60": MLP_L0[46], "75": MLP_L0[46], "90": MLP_L0[48]},
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
    "mlp-elastic": {"60": MLP_ELASTIC, "75": MLP_ELASTIC, "90": MLP_ELASTIC},
    "mlp-n2n": {"60": MLP_N2N[48], "75": MLP_N2N[48], "90": MLP_N2N[46]},
    "mlp-bc-ghs": {"60": MLP_GHS, "75": MLP_GHS, "90": MLP_GHS},
    "mlp-bc-gnj": {"60": MLP_GNJ, "75": MLP_GNJ, "90": MLP_GNJ},
    "mlp-edge-popup": {
        "given": {"rate": 0.946809943404264, "momentum": 0.0, "weight_decay": 0.0001, "start": "signed", "scaled": True}
    },
    "mobilenet-v1-x0.25-dnw": {
        "given": {"rate": 0.24603215356608854, "weight_decay": 0.0005, "clip_network": 5.0, "fc": "kaiming"}
    },
    "mobilenet-v1-x0.25-lottery": {
        "given": {"rate": 0.23980611875729527, "weight_decay": 0.0, "clip_network": 5.0, "fc": "kaiming", "rounds": 2}
    },
    "vgg-cov2-edge-popup": {
        "given": {"rate": 0.5193252867644469, "weight_decay": 0.0001, "start": "signed", "scaled": False}
    },
    "lenet5-l0": {"60": MLP_L0[48], "75": MLP_L0[48], "90": MLP_L0[48]},
    "lenet5-bc-gnj": {"60": LENET5_GNJ, "75": LENET5_GNJ, "90": LENET5_GNJ},
    "lenet5-bc-ghs": {"60": LENET5_GHS, "75": LENET5_GHS, "90": LENET5_GHS},
    "vgg16-x0.25-nested": {
        "given": {"rate": 0.04535498654881578, "weight_decay": 0.0005, "clip_network": None, "fc": "torch"}
    },
    "vgg16-x0.25-elastic": {"60": VGG16_ELASTIC[21], "75": VGG16_ELASTIC[21], "90": VGG16_ELASTIC[20]},
    "lenet5-lottery": {
        "given": {
            "rate": 0.13103985668821638,
            "momentum": 0.9,
            "weight_decay": 0.0005,
            "clip_network": 1.0,
            "fc": "torch",
            "rounds": 2,
        }
    },
}
"""Study of a rival to role to a value for each setting of the study's space; a study is missing until it is over."""

CHOSEN_SMALL: dict[str, dict[str, Any]] = {
    "weights": {
        "rate": 0.010110945231328798,
        "momentum": 0.9,
        "weight_decay": 1e-05,
        "clip_network": 1.0,
        "schedule": "cosine",
        "normalize": True,
        "fc": "kaiming",
        "rate_switcher": 0.018786915060792383,
        "momentum_switcher": 0.9,
        "weight_decay_switcher": 0.0,
        "clip_switcher": 0.1,
        "turn": "epoch",
        "ratio": "3:1",
        "switcher_until": 0.25,
        "initial_mean": 0.9552421689429887,
        "initial_spread": 0.30934921967163065,
        "upsample": "transposed",
        "kernel_rows": 3,
        "channels": "4-8-16",
    },
    "nothing": {
        "rate": 0.014096681010140623,
        "momentum": 0.9,
        "weight_decay": 1e-05,
        "clip_network": 5.0,
        "schedule": "constant",
        "normalize": True,
        "fc": "kaiming",
        "rate_switcher": 0.00305937003220815,
        "momentum_switcher": 0.0,
        "weight_decay_switcher": 0.0005,
        "clip_switcher": 1.0,
        "turn": "1",
        "ratio": "1:3",
        "switcher_until": 0.25,
        "initial_mean": 0.02940217861136532,
        "initial_spread": 0.9162366706861732,
    },
    "constants": {
        "rate": 0.010855683911769953,
        "momentum": 0.9,
        "weight_decay": 0.0001,
        "clip_network": 1.0,
        "schedule": "step",
        "normalize": False,
        "fc": "torch",
        "rate_switcher": 0.0064018378416020654,
        "momentum_switcher": 0.9,
        "weight_decay_switcher": 0.0005,
        "clip_switcher": 1.0,
        "turn": "epoch",
        "ratio": "1:3",
        "switcher_until": 1.0,
        "initial_mean": 0.3022048583624021,
        "initial_spread": 0.20036705558196247,
        "upsample": "resize",
        "kernel_rows": 3,
        "channels": "4-8-16-16",
    },
    "noise": {
        "rate": 0.010110945231328798,
        "momentum": 0.9,
        "weight_decay": 1e-05,
        "clip_network": 1.0,
        "schedule": "cosine",
        "normalize": True,
        "fc": "kaiming",
        "rate_switcher": 0.018786915060792383,
        "momentum_switcher": 0.9,
        "weight_decay_switcher": 0.0,
        "clip_switcher": 0.1,
        "turn": "epoch",
        "ratio": "3:1",
        "switcher_until": 0.25,
        "initial_mean": 0.9552421689429887,
        "initial_spread": 0.30934921967163065,
        "upsample": "transposed",
        "kernel_rows": 3,
        "channels": "4-8-16",
    },
    "shuffled": {
        "rate": 0.03150890967054385,
        "momentum": 0.9,
        "weight_decay": 1e-05,
        "clip_network": 1.0,
        "schedule": "cosine",
        "normalize": True,
        "fc": "kaiming",
        "rate_switcher": 0.01049454691558237,
        "momentum_switcher": 0.9,
        "weight_decay_switcher": 0.0005,
        "clip_switcher": 0.1,
        "turn": "epoch",
        "ratio": "3:1",
        "switcher_until": 0.5,
        "initial_mean": 0.9834092505122507,
        "initial_spread": 0.1576088529792049,
        "upsample": "transposed",
        "kernel_rows": 3,
        "channels": "4-8-16",
    },
}
"""What the switcher reads ("weights": SNN-AL itself) to the settings that its small search chose; empty until then."""
