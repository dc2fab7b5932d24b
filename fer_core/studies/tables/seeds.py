"""What chance does: one network by the protocol, with other seeds."""

from fer_core.studies.reference import NET, REFERENCE
from fer_core.studies.rows import network, register_table

SEEDS = (1, 2, 3, 4)  # the protocol's own is 0

register_table(
    "seeds",
    "Chance",
    "How far do runs lie apart that differ in nothing but their seed?",
    REFERENCE,
    *(network(f"seed_{seed}", f"quarter-width VGG-SE, seed {seed}", seed=seed, **NET) for seed in SEEDS),
)
