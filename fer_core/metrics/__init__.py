"""Figures from labels (N,) and probabilities (N, C); scikit-learn computes what it knows."""

from fer_core.metrics.calibration import chance_calibration_error, expected_calibration_error, reliability_bins
from fer_core.metrics.classification import accuracy, averaged_scores, confusion, macro_f1, per_class_scores
from fer_core.metrics.intervals import effective_count, wilson_interval
from fer_core.metrics.paired import PairedDifference, paired_difference

__all__ = [
    "PairedDifference",
    "accuracy",
    "averaged_scores",
    "chance_calibration_error",
    "confusion",
    "effective_count",
    "expected_calibration_error",
    "macro_f1",
    "paired_difference",
    "per_class_scores",
    "reliability_bins",
    "wilson_interval",
]
