"""Methods from before deep networks, on features: fitted by scikit-learn, kept as plain arrays, judged by NumPy."""

from fer_core.classical.base import CLASSICAL, ClassicalMethod
from fer_core.classical.select import Selection, select

__all__ = ["CLASSICAL", "ClassicalMethod", "Selection", "select"]
