"""Losses and methods against noisy labels, and FER+'s ways to use ten voters."""

from typing import Any

from fer_core.studies.reference import NET, REFERENCE
from fer_core.studies.rows import Published, network, register_table

HARD: dict[str, Any] = {**NET, "label_smoothing": 0.0}
BARSOUM = "https://arxiv.org/abs/1608.01041"

register_table(
    "noisy_labels",
    "Losses and noisy labels",
    "Which loss or method bears FER2013's label noise best, on one quarter-width VGG-SE?",
    REFERENCE,  # label smoothing 0.1
    network("loss_cross_entropy", "cross-entropy, no smoothing", **HARD),
    network("loss_class_weighted", "class-weighted cross-entropy", class_weights="inverse", **HARD),
    network("loss_focal", "focal loss", loss="focal", **HARD),
    network("loss_l2_svm", "L2-SVM hinge", loss="l2_svm", **HARD),
    network("loss_generalised", "generalised cross-entropy", loss="generalised_cross_entropy", **HARD),
    network("loss_symmetric", "symmetric cross-entropy", loss="symmetric_cross_entropy", **HARD),
    network("method_mixup", "mixup", method="mixup", **NET),
    network("method_cutmix", "cutmix", method="cutmix", **NET),
    network("method_eac", "erasing attention consistency", method="eac", **NET),
    network("method_scn", "self-cure network", method="scn", **NET),
    network("method_co_teaching", "co-teaching", method="co_teaching", **NET),
    network("ferplus_head", "FER+ votes as a second head", ferplus_weight=0.5, **NET),
    network("ferplus_majority", "FER+ by majority, eight classes", targets="ferplus_majority", **HARD,
            published=Published(0.8385, BARSOUM, "VGG13, on FER+ labels")),
    network("ferplus_multi_label", "FER+ multi-label, eight classes", targets="ferplus_multi_label", **HARD,
            published=Published(0.8397, BARSOUM, "VGG13, on FER+ labels")),
    network("ferplus_drawing", "FER+ by label drawing, eight classes", targets="ferplus_drawing", **HARD,
            published=Published(0.8499, BARSOUM, "VGG13, on FER+ labels")),
    network("ferplus_soft", "FER+ soft cross-entropy, eight classes", targets="ferplus_soft", **HARD,
            published=Published(0.8472, BARSOUM, "VGG13, on FER+ labels")),
)  # fmt: skip
