"""Ensembles whose members are trained for them."""

from typing import Any

from fer_core.studies.rows import network, register_table, trained

SMALL: dict[str, Any] = {"model": "vgg_se", "model_options": {"width": 0.25}}

register_table(
    "ensembles",
    "Ensembles with members of their own",
    "For the same training time, is one network better, or several that were trained to disagree?",
    network("one_alone", "one quarter-width VGG-SE", **SMALL),
    trained("boosting", "AdaBoost (SAMME) of three", "boosting", 3, **SMALL),
    trained("one_vs_rest", "one model an emotion", "one_vs_rest", 7, **SMALL),
    trained("pair_tree", "binary tree over opposed emotions", "pair_tree", 6, **SMALL),
    trained("snapshots", "four snapshots of one run", "snapshot", 4, schedule="cosine_restarts", cycles=4, **SMALL),
)
