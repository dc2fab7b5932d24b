"""Optimisers at one schedule, and schedules of one optimiser; `scripts.search MODEL --kind grid` crosses them all."""

from typing import Any

from fer_core.studies.reference import NET, REFERENCE
from fer_core.studies.rows import network, register_table

SGD: dict[str, Any] = {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0.0005}
RATES = {"adam": 0.001, "adadelta": 1.0, "adagrad": 0.01, "rmsprop": 0.0001}
"""Peak rates at which each optimiser is commonly begun; an L2 penalty would be distorted by their own scaling."""

register_table(
    "optimisers",
    "Optimisers and schedules",
    "Which optimiser, and which course of its rate, gets furthest within one budget?",
    REFERENCE,
    network("optimiser_sgd", "SGD with Nesterov momentum, one-cycle", **NET, **SGD),
    network("optimiser_sgd_plain", "SGD with momentum, one-cycle", **NET, **SGD | {"optimizer": "sgd_plain"}),
    *(
        network(f"optimiser_{name}", f"{name}, one-cycle", **NET, optimizer=name, learning_rate=rate, weight_decay=0.0)
        for name, rate in RATES.items()
    ),
    *(
        network(f"schedule_{name}", f"SGD with Nesterov momentum, {name}", **NET, **SGD, schedule=name)
        for name in ("constant", "step", "plateau", "cosine")
    ),
    network("schedule_restarts", "SGD with Nesterov momentum, cosine with a restart", **NET, **SGD,
            schedule="cosine_restarts", cycles=2),
)  # fmt: skip
