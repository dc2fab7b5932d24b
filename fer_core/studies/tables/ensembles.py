"""Ensembles whose members are trained for them."""

from fer_core.studies.reference import NET, REFERENCE
from fer_core.studies.rows import register_table, trained

register_table(
    "ensembles",
    "Ensembles with members of their own",
    "For the same training time, is one network better, or several that were trained to disagree?",
    REFERENCE,
    trained("boosting", "AdaBoost (SAMME) of three", "boosting", 3, **NET),
    trained("one_vs_rest", "one model an emotion", "one_vs_rest", 7, **NET),
    trained("one_vs_rest_joined", "one model an emotion, and one of all", "one_vs_rest", 8, joined=True, **NET),
    trained("pair_tree", "binary tree over opposed emotions", "pair_tree", 6, **NET),
    trained("snapshots", "four snapshots of one run", "snapshot", 4, schedule="cosine_restarts", cycles=4, **NET),
)
