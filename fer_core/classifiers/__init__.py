"""One surface over everything that judges faces: `predict_proba(uint8 (N, H, W)) -> float32 (N, C)`."""

from fer_core.classifiers.base import Classifier
from fer_core.classifiers.load import load_classifier

__all__ = ["Classifier", "load_classifier"]
