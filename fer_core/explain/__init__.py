"""Explanation: which pixels of a face speak for an emotion, and how to show it.

Example:
    >>> from fer_core.classifiers import load_classifier
    >>> explanation = explain_face(load_classifier("vgg_se"), crop, method="grad_cam", target="happy")
    >>> overlay_face(crop, explanation.heatmap, 0.7, signed=explanation.signed).save("happy.png")
"""

from fer_core.explain.attribution import (
    attribute,
    attribute_batch,
    controls_for,
    methods_for,
    raw_attributions,
    why_not,
)
from fer_core.explain.base import EXPLAINERS, Explainer
from fer_core.explain.controls import ChoiceControl, Control, FloatControl, IntControl
from fer_core.explain.face import Explanation, explain_face

DEFAULT_METHOD = "grad_cam"

__all__ = [
    "DEFAULT_METHOD",
    "EXPLAINERS",
    "ChoiceControl",
    "Control",
    "Explainer",
    "Explanation",
    "FloatControl",
    "IntControl",
    "attribute",
    "attribute_batch",
    "controls_for",
    "explain_face",
    "methods_for",
    "raw_attributions",
    "why_not",
]
